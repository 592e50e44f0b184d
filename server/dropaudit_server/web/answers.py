"""Answers that all pages share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from aiohttp import web
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from dropaudit_formats.page.environment import hash_of
from dropaudit_formats.runs.page import PROGRAM
from dropaudit_formats.writing import MEDIA_TYPES, Form
from dropaudit_server.reports.documents import AskedDocument, ReportDocuments
from dropaudit_server.requests import names
from dropaudit_server.requests.violations import InvalidRequest
from dropaudit_server.web.door import HEADERS
from dropaudit_server.web.rendering import rendered

PAGE_SIZE = 50
# A stream of events ends after so long: the browser comes again, and its token is looked at again.
_STREAM_SECONDS = 15.0
# A report is one page with its style inside, and no program; that of a run has one, which sorts its table.
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_RUN_POLICY = f"{_REPORT_POLICY}; script-src '{hash_of(PROGRAM)}'"
_SUFFIXES = {Form.JUNIT: "xml", Form.SARIF: "sarif", Form.MARKDOWN: "md", Form.JSON: "json"}


def page(template: str, **values: Any) -> web.Response:
    """Answer a page from a template."""
    return web.Response(text=rendered(template, **values), content_type="text/html")


def plain(message: Message) -> dict[str, Any]:
    """Return a message as templates read it."""
    return MessageToDict(message, always_print_fields_with_no_presence=True)


def resource_id(request: web.Request, collection: str) -> str:
    """Return the id in a path. Raises InvalidRequest."""
    return names.resource_id(f"{collection}/{request.match_info['id']}", collection)


async def document(documents: ReportDocuments, request: web.Request, suite_id: str, found: str) -> web.Response:
    """Answer the report of an audit, or of a run where a suite is named, in the form that the query names."""
    asked = request.query.get("form", Form.HTML.value)
    if asked not in set(Form):
        raise InvalidRequest([("form", "must be html, junit, sarif, markdown or json")])
    form = Form(asked)
    content = await documents.content(AskedDocument(suite_id, found, form, links=""))
    policy = _RUN_POLICY if suite_id else _REPORT_POLICY
    headers = {"Content-Type": MEDIA_TYPES[form], "Content-Security-Policy": policy}
    if form in _SUFFIXES:
        headers["Content-Disposition"] = f'attachment; filename="{found}.{_SUFFIXES[form]}"'
    return web.Response(body=content, headers=headers)


async def stream(request: web.Request, told: AsyncGenerator[bytes, None]) -> web.StreamResponse:
    """Answer events as they come, for a while."""
    answer = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
    await answer.prepare(request)
    await answer.write(b"retry: 1000\n\n")
    try:
        async with asyncio.timeout(_STREAM_SECONDS), aclosing(told) as events:
            async for content in events:
                await answer.write(content)
    except (TimeoutError, ConnectionResetError):
        pass
    return answer


def event(kind: str, content: dict[str, Any], number: int | None = None) -> bytes:
    """Return an event as browsers read it."""
    head = "" if number is None else f"id: {number}\n"
    return f"{head}event: {kind}\ndata: {json.dumps(content)}\n\n".encode()
