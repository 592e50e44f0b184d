"""From records of names to messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.naming.requests import cursor_of
from dropaudit_server.requests.paging import Page, fitting
from dropaudit_server.responses import model, timestamp
from dropaudit_store.naming.records import ModelName, NamedVersion
from dropaudit_store.records import ModelRecord


def version(found: NamedVersion) -> pb.ModelVersion:
    """Return the message of a version."""
    known = found.known
    return pb.ModelVersion(
        display_name=known.display_name,
        version=known.version,
        model=f"models/{known.sha256}",
        size_bytes=known.size,
        create_time=timestamp(known.create_time),
        uploader=known.uploader,
        aliases=found.aliases,
    )


def versions(found: Iterable[NamedVersion], following: int, page: Page) -> pb.ListModelVersionsResponse:
    """Return the message of a page of versions."""
    messages = ((version(each), str(each.known.version)) for each in found)
    kept, cursor = fitting(messages, str(following) if following else "")
    return pb.ListModelVersionsResponse(versions=kept, next_page_token=page.token(cursor))


def name(found: ModelName) -> pb.ModelName:
    """Return the message of a name."""
    return pb.ModelName(
        display_name=found.display_name,
        newest=version(found.newest),
        version_count=found.version_count,
        aliases=found.aliases,
    )


def names(found: Iterable[ModelName], following: str, page: Page) -> pb.ListModelNamesResponse:
    """Return the message of a page of names."""
    messages = ((name(each), cursor_of(each.display_name)) for each in found)
    kept, cursor = fitting(messages, cursor_of(following))
    return pb.ListModelNamesResponse(names=kept, next_page_token=page.token(cursor))


def named_model(record: ModelRecord, of: Sequence[str], found: NamedVersion | None = None) -> pb.Model:
    """Return the message of a model with its names, and the version that an upload made it."""
    message = model(record)
    message.display_names.extend(of)
    if found is not None:
        message.version.CopyFrom(version(found))
    return message
