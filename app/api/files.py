"""GET of document PDFs. The link is the permission: signed, for one document, for minutes. A link that is
wrong in any way, has expired, or leads to nothing gets one and the same answer, so nothing can be learned by
trying.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, quote
from uuid import UUID

from litestar import HttpMethod, Request, Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from app.api import ids, media
from app.api.links import PATH, DocumentLinks

FILE_NAME_LENGTH_MAX: Final = 80
FILE_HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
}
NOT_GOOD: Final = (
    "This link has expired or is not complete. "
    "Open the document again on the billing page: that makes a fresh link.\n"
)
NOT_YET: Final = "This document is not ready yet. Try again in a moment.\n"

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Pdf:
    """A stored PDF and what it should be called on somebody's disk, usually the document's number."""

    content: bytes
    name: str


class PdfNotReady(Exception):
    """The PDF cannot be had now, but asking again can help."""

    def __init__(self, retry_after_seconds: int = 2) -> None:
        super().__init__(NOT_YET)
        self.retry_after_seconds = retry_after_seconds


Load = Callable[[UUID, ids.PublicId], Awaitable[Pdf | None]]
"""The PDF of a document of a customer, rendered if it never was; None when there is no such document; may
raise `PdfNotReady`.
"""


def document_route(links: DocumentLinks, load: Load, clock: Callable[[], datetime]) -> HTTPRouteHandler:
    """The handler of GET and HEAD `/documents/{id}.pdf`."""

    @route(f"{PATH}{{name:str}}", http_method=[HttpMethod.GET, HttpMethod.HEAD], include_in_schema=False)
    async def document_pdf(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
        query = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        signed = links.verify(name, query, at=clock())
        try:
            pdf = await load(signed.customer, signed.document) if signed is not None else None
        except PdfNotReady as error:
            return _message(503, NOT_YET, {"Retry-After": str(error.retry_after_seconds)})
        if signed is None or pdf is None:
            return _message(403, NOT_GOOD)
        return _file(request, pdf, fallback=str(signed.document))

    return document_pdf


def _file(request: Request[Any, Any, Any], pdf: Pdf, *, fallback: str) -> Response[bytes]:
    etag = f'"{hashlib.sha256(pdf.content).hexdigest()}"'
    headers = {**FILE_HEADERS, "ETag": etag, "Content-Disposition": disposition(pdf.name, fallback=fallback)}
    if etag in (tag.strip() for tag in request.headers.get("if-none-match", "").split(",")):
        return Response(b"", status_code=304, headers=headers)
    if request.method == HttpMethod.HEAD:
        headers["Content-Length"] = str(len(pdf.content))
        return Response(b"", media_type="application/pdf", headers=headers)
    return Response(pdf.content, media_type="application/pdf", headers=headers)


def disposition(name: str, *, fallback: str) -> str:
    """A Content-Disposition that saves the file as `name`.pdf: in plain characters for old clients, exactly
    for new ones; no character of the name can end the header or leave the folder.
    """
    exact = "".join(c for c in name.replace("/", "-").replace("\\", "-") if c.isprintable()).strip(" .-")
    exact = exact[:FILE_NAME_LENGTH_MAX] or fallback
    plain = _UNSAFE.sub("-", exact).strip("-.") or fallback
    if plain == exact:
        return f'attachment; filename="{plain}.pdf"'
    return f"attachment; filename=\"{plain}.pdf\"; filename*=UTF-8''{quote(f'{exact}.pdf', safe='')}"


def _message(status: int, text: str, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(text.encode(), status_code=status, media_type=media.TEXT, headers=headers)
