"""Claims about a generic client: it knows the address, and everything else from the server."""

from __future__ import annotations

import base64
from typing import Any

import grpc
import numpy as np
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

TENSOR = {
    "datatype": "FP32",
    "shape": ["2"],
    "rawContents": base64.b64encode(np.ones(2, np.float32).tobytes()).decode(),
}
# What a person would type for grpcurl.
REQUEST = {"audit": {"spec": {"recorded": {"inference": TENSOR, "train": [TENSOR], "keepProb": 1.0}}}}


def test_a_generic_client_lists_the_services_and_makes_an_audit(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert set(database.get_services()) == {
            "dropaudit.v1.AuditService",
            "grpc.health.v1.Health",
            "grpc.reflection.v1alpha.ServerReflection",
        }
        service = DescriptorPool(database).FindServiceByName("dropaudit.v1.AuditService")
        assert "WatchAudit" in [method.name for method in service.methods]
        method = service.methods_by_name["CreateAudit"]
        request, response = (message_factory.GetMessageClass(kind) for kind in (method.input_type, method.output_type))
        call: Any = channel.unary_unary(
            f"/{service.full_name}/{method.name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=response.FromString,
        )
        asked = json_format.ParseDict(REQUEST, request())
        audit = json_format.MessageToDict(call(asked))
    assert audit["name"].startswith("audits/")
    assert audit["state"] == "QUEUED"
