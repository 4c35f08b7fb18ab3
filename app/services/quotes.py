"""Quote tokens: signed, and good for one thing. A token freezes the instant and the request, and a digest of
all that was shown.

The change decides again at that instant on the data of the day, and goes through if the digest is the same.
So a token needs no row, and what was shown is what is charged.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import msgspec
import orjson

from app.billing.changes import Quote
from app.billing.requests import ChangeRequest

LIFETIME: Final = timedelta(minutes=15)
PURPOSE: Final = b"seatport quote v1\n"


@dataclass(frozen=True, slots=True)
class QuoteToken:
    """What a token says. `at` is on the customer's clock, in whole seconds; `valid_until` is wall time."""

    customer: UUID
    subscription: UUID
    at: datetime
    request: ChangeRequest
    digest: str
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class QuoteSigner:
    """Makes and reads tokens with the deployment's secret."""

    secret: bytes

    def sign(self, token: QuoteToken) -> str:
        """The token as text."""
        body = msgspec.json.encode(token)
        return _text(self._mac(body) + body)

    def read(self, text: str) -> QuoteToken | None:
        """What a token says; None if it was not made here, or was altered."""
        try:
            raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except (NotBase64, ValueError):
            return None
        mac, body = raw[:32], raw[32:]
        if not hmac.compare_digest(mac, self._mac(body)) or _text(raw) != text:
            return None
        return msgspec.json.decode(body, type=QuoteToken)

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self.secret, PURPOSE + body, "sha256")


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def valid_until(*, wall: datetime, clock: datetime, period_end: datetime) -> datetime:
    """Until when a quote binds, by the wall clock: fifteen minutes, and never past the period that it was
    made in.
    """
    return min(wall + LIFETIME, wall + (period_end - clock)).astimezone(UTC)


def digest(quote: Quote) -> str:
    """SHA-256 of all that is shown as due or waiting: lines, totals, credit, and the seats and schedule that
    result.
    """
    posting = quote.posting
    shown: dict[str, Any] = {
        "lines": quote.lines,
        "due": quote.due_now,
        "credit": quote.credit_added,
        "seats": posting.events,
        "price": posting.price.id,
        "period": posting.subscription.period,
        "scheduled": posting.scheduled,
        "replaces": tuple(scheduled.id for scheduled in posting.settled),
    }
    return sha256(msgspec.json.encode(shown)).hexdigest()


def fingerprint(value: Any) -> str:
    """SHA-256 of a frozen request as canonical JSON, to tell a reused key from a repeated request."""
    return sha256(orjson.dumps(msgspec.to_builtins(value), option=orjson.OPT_SORT_KEYS)).hexdigest()
