"""Signed links to the PDF of a document: an HMAC over what the link is for, the customer, the document and
the expiry. Whoever has the link may download that one file until it expires, minutes later; nothing in it can
be changed, and it needs no look-up to be believed.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from app.api import ids

PURPOSE: Final = "seatport document link v1"
PATH: Final = "/documents/"
SUFFIX: Final = ".pdf"
LIFETIME: Final = timedelta(minutes=5)
DOCUMENT_KINDS: Final = frozenset({ids.Kind.INVOICE, ids.Kind.CREDIT_NOTE})


class SignedDocument(NamedTuple):
    """What a good link lets its holder download."""

    customer: UUID
    document: ids.PublicId


@dataclass(frozen=True, slots=True)
class DocumentLinks:
    """Makes and believes links under one public address and one secret."""

    public_url: str
    secret: str = field(repr=False)
    lifetime: timedelta = LIFETIME

    def sign_document_url(self, *, customer: UUID, document: ids.PublicId, at: datetime) -> str:
        """The link to a document of a customer, good for `lifetime` from the instant `at` (whole seconds)."""
        assert document.kind in DOCUMENT_KINDS, "only documents have a PDF"
        name, customer_id = f"{document}{SUFFIX}", ids.encode(ids.Kind.CUSTOMER, customer)
        expires = str(int((at + self.lifetime).timestamp()))
        signature = self._signature(customer_id, name, expires)
        query = urlencode({"customer": customer_id, "expires": expires, "signature": signature})
        return f"{self.public_url}{PATH}{name}?{query}"

    def verify(self, name: str, query: Sequence[tuple[str, str]], *, at: datetime) -> SignedDocument | None:
        """What the last part of a link's path and its query allow at an instant; None for any link that is
        not exactly one that was signed here, and for one that has expired.
        """
        given = dict(query)
        if len(query) != len(given) or given.keys() != {"customer", "expires", "signature"}:
            return None
        signature = self._signature(given["customer"], name, given["expires"])
        if not hmac.compare_digest(signature.encode(), given["signature"].encode(errors="replace")):
            return None
        expires, customer = given["expires"], ids.decode_as(ids.Kind.CUSTOMER, given["customer"])
        document = ids.decode(name.removesuffix(SUFFIX))
        assert customer is not None, "only true ids were signed"
        assert document is not None, "only true ids were signed"
        return SignedDocument(customer, document) if at < datetime.fromtimestamp(int(expires), UTC) else None

    def _signature(self, customer: str, name: str, expires: str) -> str:
        message = f"{PURPOSE}\n{customer}\n{name}\n{expires}".encode(errors="replace")
        digest = hmac.new(self.secret.encode(), message, hashlib.sha256).digest()
        return urlsafe_b64encode(digest).decode("ascii").rstrip("=")
