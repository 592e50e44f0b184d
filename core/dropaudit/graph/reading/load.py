"""The one door through which ONNX protobuf enters."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from dropaudit.errors import InvalidModel, UnreadableFile
from dropaudit.files.archive import HEADER_BYTES, is_archive
from dropaudit.files.data_files import CHUNK_BYTES, OnDisk, file_below, plain_name, reading
from dropaudit.files.model_files import ModelContent, ModelFiles
from dropaudit.files.unpacking import unpack
from dropaudit.graph.reading.external.places import location_of
from dropaudit.graph.reading.external.split import OfBytes, OfFile, OfStream, Source, split
from dropaudit.graph.reading.external.take_in import attach, detach, external_tensors, take_in
from dropaudit.graph.reading.functions import without_functions
from dropaudit.graph.reading.held_weights import LARGE_WEIGHTS, Held
from dropaudit.graph.reading.limits import MOST_BYTES, check_limits
from dropaudit.graph.reading.messages import every_node
from dropaudit.graph.reading.node_order import sort_nodes


def parse_model(content: bytes) -> onnx.ModelProto:
    """Parse an ONNX file. Raises InvalidModel when it is not one, or asks for too much."""
    return _checked(_parsed(content))


def _checked(model: onnx.ModelProto) -> onnx.ModelProto:
    check_limits(model)
    # The runtime takes no notice of how a model was trained.
    model.ClearField("training_info")
    if model.functions:
        model = without_functions(model)
        # Calls may have put anything where a body refers to an attribute.
        check_limits(model)
    _name_domain(model)
    sort_nodes(model.graph)
    return model


def _name_domain(model: onnx.ModelProto) -> None:
    """Give the standard's operators the domain that all others have, as the runtime does: two names are one."""
    for node in every_node(model):
        if node.domain == "ai.onnx":
            node.domain = ""
    plain = {entry.domain for entry in model.opset_import}
    for entry in model.opset_import:
        if entry.domain == "ai.onnx" and "" not in plain:
            entry.domain = ""


def _parsed(content: bytes) -> onnx.ModelProto:
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError as error:
        raise InvalidModel("the file is not an ONNX model: its bytes are not an ONNX protobuf") from error
    # The runtime may read what a later version of the format adds, and this code could not look at it.
    model.DiscardUnknownFields()
    if not model.HasField("graph") or not model.graph.node or not model.opset_import:
        raise InvalidModel("the file is not an ONNX model: it holds no graph with operators")
    if not model.graph.output:
        raise InvalidModel("the model has no output, so there is nothing to compare")
    return model


def parse_content(content: ModelContent) -> tuple[onnx.ModelProto, tuple[Held, ...]]:
    """Parse a model in one file or in several, with all of it in memory.

    Returns:
        The model, and what it refers to, which must live as long as it.

    Raises:
        InvalidModel: it is not an ONNX model, asks for too much, or names data that is not among its files.
    """
    if isinstance(content, bytes) and len(content) >= LARGE_WEIGHTS:
        content = weights_apart(OfBytes(content), len(content)) or content
    if isinstance(content, bytes):
        return parse_model(content), ()
    model = _parsed(content.graph)
    model.ClearField("training_info")
    found = detach(model, content.data)
    model = _checked(model)
    return model, attach(model, found)


def weights_apart(source: Source, size: int) -> ModelFiles | None:
    """Return a model in one file with its weights apart from its graph, so that nobody has to copy them.

    Returns:
        The model, for which the file stands; None, with all of the source taken, where there are no large weights in
        it, where some weights are in other files, and where it is no ONNX model.
    """
    try:
        graph, data = split(source, size)
        outside = external_tensors(_parsed(graph))
    except (InvalidModel, UnicodeDecodeError):
        while source.read(CHUNK_BYTES):
            pass
        return None
    return ModelFiles(graph, data, source.whole) if data and len(outside) == len(data) else None


def read_artifact(path: Path, *, most: int = MOST_BYTES) -> ModelContent:
    """Read an ONNX file: as one self-contained artifact, external data beside it taken in, where that is possible.

    An archive of a model in several files is one too. What is large stays on the disk until it is wanted.

    Args:
        path: the file.
        most: bytes that the artifact may have; of more, its files are named, and read when they are needed.

    Raises:
        UnreadableFile: the path, or external data that the file names, cannot be read.
        InvalidModel: the content is not an ONNX model, or its external data does not fit its files.
    """
    content = _content(path)
    if not isinstance(content, bytes):
        return content
    with _naming(path):
        model = _parsed(content)
        outside = external_tensors(model)
        if not outside:
            return content
        # Each file is looked for once, however many weights lie in it.
        locations = dict.fromkeys(location_of(tensor) for tensor in outside)
        data = {str(plain_name(location)): _beside(path, location) for location in locations}
        if len(content) + sum(file.size for file in data.values()) > most:
            return ModelFiles(content, data)
        take_in(model, data)
        found: bytes = model.SerializeToString()
    if len(found) < LARGE_WEIGHTS:
        return found
    del model
    return weights_apart(OfStream(BytesIO(found)), len(found)) or found


def _content(path: Path) -> ModelContent:
    with reading(path), path.open("rb") as file:
        if is_archive(file.peek(HEADER_BYTES)):
            with _naming(path):
                return unpack(OnDisk.at(path).content())
        size = os.fstat(file.fileno()).st_size
        if size > MOST_BYTES:
            raise InvalidModel(
                f"{path} is larger than {MOST_BYTES} bytes, which no ONNX file can be; save the model with "
                "external data beside it",
                path=str(path),
            )
        if size >= LARGE_WEIGHTS and (found := weights_apart(OfFile(file, OnDisk.opened(path, file.fileno())), size)):
            return found
        file.seek(0)
        return file.read()


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file in what is wrong with it."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise InvalidModel(f"{path}: a name in the model is not UTF-8 text", path=str(path)) from error
    except InvalidModel as error:
        raise InvalidModel(f"{path}: {error.message}", path=str(path)) from error


def _beside(path: Path, location: str) -> OnDisk:
    """Return the file of external data. Raises UnreadableFile unless it lies below the model's own folder."""
    found = file_below(path.parent, location)
    if found is None:
        raise UnreadableFile(
            f"{path} keeps weights in {location!r}, not in a file below its own folder; save the model again with "
            "its external data beside it",
            path=str(path),
        )
    return OnDisk.at(found)
