"""Writes docs/api.md from the contract and the table of errors; with --check, only says whether it is current."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)
from grpc_tools import protoc

from dropaudit.errors import AuditError
from dropaudit_server.interceptors.access import SCOPES
from dropaudit_server.interceptors.status import CODES

ROOT = Path(__file__).parent.parent
PROTO = "dropaudit_proto/v1/audit.proto"
RESULT = ROOT / "docs" / "api.md"
EXAMPLES = ROOT / "docs" / "api-examples.md"
_PACKAGE = ".dropaudit.v1."
# Field numbers of FileDescriptorProto, DescriptorProto, EnumDescriptorProto and ServiceDescriptorProto.
_MESSAGES, _ENUMS, _SERVICES = 4, 5, 6
_FIELDS, _NESTED, _NESTED_ENUMS, _VALUES, _METHODS = 2, 3, 4, 2, 2

Comments = dict[tuple[int, ...], str]
_TYPES = {number: name.removeprefix("TYPE_").lower() for name, number in FieldDescriptorProto.Type.items()}


def main() -> int:
    """Write, or check."""
    text = document(read_contract())
    if "--check" not in sys.argv[1:]:
        RESULT.write_text(text, encoding="utf-8")
        return 0
    if RESULT.exists() and RESULT.read_text(encoding="utf-8") == text:
        return 0
    print("docs/api.md is stale, run `make docs`", file=sys.stderr)
    return 1


def read_contract() -> FileDescriptorProto:
    """Return the contract with its comments."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "set"
        arguments = ["protoc", f"-I{ROOT / 'proto'}", f"-I{Path(protoc.__file__).parent / '_proto'}"]
        status = protoc.main([*arguments, "--include_source_info", f"--descriptor_set_out={target}", PROTO])
        if status:
            raise SystemExit(status)
        return FileDescriptorSet.FromString(target.read_bytes()).file[0]


def document(contract: FileDescriptorProto) -> str:
    """Return the page."""
    comments = {
        tuple(each.path): " ".join(each.leading_comments.split()) for each in contract.source_code_info.location
    }
    parts = [
        "# The service's API",
        "`make docs` writes this page from `proto/dropaudit_proto/v1/audit.proto` and from the table of errors.",
        EXAMPLES.read_text(encoding="utf-8").strip(),
        "## Calls",
        *_calls(contract, comments),
        "## Errors",
        _errors(),
        "## Messages",
        *_messages(contract.message_type, (_MESSAGES,), "", comments),
        "## Enums",
        *_enums(contract.enum_type, (_ENUMS,), "", comments),
    ]
    return "\n\n".join(parts) + "\n"


def _calls(contract: FileDescriptorProto, comments: Comments) -> Iterator[str]:
    for number, method in enumerate(contract.service[0].method):
        comment = comments.get((_SERVICES, 0, _METHODS, number), "")
        yield f"### {method.name}\n\n{_signature(method)} · scope `{SCOPES[method.name]}`\n\n{comment}"


def _signature(method: MethodDescriptorProto) -> str:
    request, response = (_linked(name) for name in (method.input_type, method.output_type))
    asked = f"stream of {request}" if method.client_streaming else request
    answered = f"stream of {response}" if method.server_streaming else response
    return f"{asked} → {answered}"


def _errors() -> str:
    rows = {
        (kind.reason, CODES[_nearest(kind)].name, " ".join((kind.__doc__ or "").split())) for kind in _kinds(AuditError)
    }
    lines = ["| reason | code | meaning |", "|---|---|---|"]
    known = "\n".join(lines + [f"| {reason} | {code} | {meaning} |" for reason, code, meaning in sorted(rows)])
    return (
        "A refused call carries google.rpc.Status with ErrorInfo (reason, domain `dropaudit`, facts) and RequestInfo; "
        "BadRequest names every field that is wrong, PreconditionFailure what must happen first, and RetryInfo when to "
        f"try again.\n\n{known}"
    )


def _kinds(base: type[AuditError]) -> Iterator[type[AuditError]]:
    """Yield every error of the table, and those that derive from one and are told apart by a reason of their own."""
    for kind in base.__subclasses__():
        if not CODES.keys().isdisjoint(kind.__mro__) and kind.reason != "NOT_FOUND":
            yield kind
        yield from _kinds(kind)


def _nearest(kind: type[AuditError]) -> type[BaseException]:
    return next(each for each in kind.__mro__ if each in CODES)


def _messages(found: Sequence[DescriptorProto], path: tuple[int, ...], outer: str, comments: Comments) -> Iterator[str]:
    for number, message in enumerate(found):
        if message.options.map_entry:
            continue
        place, name = (*path, number), f"{outer}{message.name}"
        yield f"### {name}\n\n{comments.get(place, '')}".rstrip()
        if message.field:
            yield _fields(message, place, comments)
        yield from _messages(message.nested_type, (*place, _NESTED), f"{name}.", comments)
        yield from _enums(message.enum_type, (*place, _NESTED_ENUMS), f"{name}.", comments)


def _fields(message: DescriptorProto, place: tuple[int, ...], comments: Comments) -> str:
    maps = {f".{each.name}": each for each in message.nested_type if each.options.map_entry}
    rows = (
        (str(field.number), f"`{field.name}`", _type(field, maps), comments.get((*place, _FIELDS, number), ""))
        for number, field in enumerate(message.field)
    )
    return _table(("", "field", "type", "meaning"), rows)


def _type(field: FieldDescriptorProto, maps: dict[str, DescriptorProto]) -> str:
    entry = next((each for suffix, each in maps.items() if field.type_name.endswith(suffix)), None)
    if entry is not None:
        key, value = (_type(each, {}) for each in entry.field)
        return f"map of {key} to {value}"
    name = _linked(field.type_name) if field.type_name else _TYPES[field.type]
    return f"repeated {name}" if field.label == FieldDescriptorProto.LABEL_REPEATED else name


def _enums(
    found: Sequence[EnumDescriptorProto], path: tuple[int, ...], outer: str, comments: Comments
) -> Iterator[str]:
    for number, enum in enumerate(found):
        place = (*path, number)
        rows = (
            (str(value.number), f"`{value.name}`", comments.get((*place, _VALUES, position), ""))
            for position, value in enumerate(enum.value)
        )
        heading = f"### {outer}{enum.name}\n\n{comments.get(place, '')}".rstrip()
        yield f"{heading}\n\n{_table(('', 'value', 'meaning'), rows)}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join(lines + [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows])


def _linked(name: str) -> str:
    if not name.startswith(_PACKAGE):
        return f"`{name.lstrip('.')}`"
    own = name.removeprefix(_PACKAGE)
    return f"[{own}](#{own.lower().replace('.', '')})"


if __name__ == "__main__":
    sys.exit(main())
