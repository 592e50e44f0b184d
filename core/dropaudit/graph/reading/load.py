"""The one door through which ONNX protobuf enters."""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError, EncodeError
from onnx.external_data_helper import load_external_data_for_tensor, uses_external_data

from dropaudit.errors import InvalidModel, UnreadableFile
from dropaudit.graph.reading.functions import without_functions
from dropaudit.graph.reading.limits import check_limits
from dropaudit.graph.reading.messages import every_node, every_tensor
from dropaudit.graph.reading.node_order import sort_nodes


def parse_model(content: bytes) -> onnx.ModelProto:
    """Parse an ONNX file. Raises InvalidModel when it is not one, or asks for too much."""
    model = _parsed(content)
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


def read_artifact(path: Path) -> bytes:
    """Read an ONNX file as one self-contained artifact: external data beside it is taken in.

    Raises:
        UnreadableFile: the path, or external data that the file names, cannot be read.
        InvalidModel: the content is not an ONNX model.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"cannot read {path}: {error.strerror or error}", path=str(path)) from error
    try:
        model = _parsed(content)
        outside = [tensor for tensor in every_tensor(model) if uses_external_data(tensor)]
    except InvalidModel as error:
        raise InvalidModel(f"{path}: {error.message}", path=str(path)) from error
    if not outside:
        return content
    for tensor in outside:
        _require_beside(path, tensor)
    try:
        for tensor in outside:
            load_external_data_for_tensor(tensor, str(path.parent))
            tensor.ClearField("data_location")
            del tensor.external_data[:]
        return model.SerializeToString()
    except (OSError, ValueError, EncodeError, onnx.checker.ValidationError) as error:
        raise UnreadableFile(f"cannot read the external data of {path}: {error}", path=str(path)) from error


def _require_beside(path: Path, tensor: onnx.TensorProto) -> None:
    """Raise UnreadableFile unless external data is a file below the model's own folder, links followed."""
    location = next((each.value for each in tensor.external_data if each.key == "location"), "")
    folder = path.parent.resolve()
    # No path of a file has a NUL, and asking for one raises.
    target = folder / location.replace("\0", "?")
    try:
        is_beside = target.resolve().is_relative_to(folder) and ".." not in target.parts and target.is_file()
    except OSError:
        is_beside = False
    if not is_beside:
        raise UnreadableFile(
            f"{path} keeps weights in {location!r}, not in a file below its own folder; save the model again with "
            "its external data beside it",
            path=str(path),
        )
