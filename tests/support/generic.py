"""A client that knows an address and nothing else: it asks the server for the contract, as grpcurl does."""

from __future__ import annotations

import json
import shlex
from typing import Any

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


class GenericClient:
    """Calls any method with JSON."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))

    def call(self, path: str, *requests: dict[str, Any], timeout: float = 60) -> list[dict[str, Any]]:
        """Call `package.Service/Method` with one request, or a stream of them, and return the answers."""
        service, _, name = path.partition("/")
        method = self._pool.FindServiceByName(service).methods_by_name[name]
        asked, answered = (message_factory.GetMessageClass(kind) for kind in (method.input_type, method.output_type))
        messages = [json_format.ParseDict(each, asked()) for each in requests]
        kinds = {
            (False, False): self._channel.unary_unary,
            (False, True): self._channel.unary_stream,
            (True, False): self._channel.stream_unary,
            (True, True): self._channel.stream_stream,
        }
        make: Any = kinds[method.client_streaming, method.server_streaming]
        call = make(f"/{path}", lambda message: message.SerializeToString(), answered.FromString)
        answer = call(iter(messages) if method.client_streaming else messages[0], timeout=timeout)
        answers = answer if method.server_streaming else [answer]
        return [json_format.MessageToDict(each) for each in answers]


def grpcurl(line: str, channel: grpc.Channel) -> list[dict[str, Any]]:
    """Do what a line that calls grpcurl does, but for its address."""
    command, *words = shlex.split(line)
    assert command == "grpcurl"
    content = words[words.index("-d") + 1] if "-d" in words else "{}"
    return GenericClient(channel).call(words[-1], json.loads(content))
