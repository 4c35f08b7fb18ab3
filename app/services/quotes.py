"""Quote tokens: signed, and good for one thing. A token freezes the instant and the request, and a digest of
all that was shown.

The change decides again at that instant on the data of the day, and goes through if the digest is the same.
So a token needs no row, and what was shown is what is charged.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import msgspec

from app.billing.changes import Quote
from app.billing.periods import BillingInterval
from app.billing.plans import ChangeTiming, ProrationMode
from app.billing.requests import ChangeRequest, SeatQuantity
from app.billing.state import State
from app.billing.subscriptions import SeatsAtRenewal
from app.billing.turns import Turn, TurnKind

CANONICAL: Final = msgspec.json.Encoder(order="sorted")
LIFETIME: Final = timedelta(minutes=15)
PURPOSE: Final = b"seatport quote v1\n"
MAC_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class QuoteToken:
    """What a token says. `at` is on the customer's clock, in whole seconds; `valid_until` is wall time,
    likewise.
    """

    at: datetime
    request: ChangeRequest | Turn
    digest: bytes
    valid_until: datetime


Seats = tuple[str, int | None, int | None, int | None]
Wire = tuple[
    int,
    int,
    bytes,
    str | None,
    BillingInterval | None,
    tuple[Seats, ...],
    ProrationMode | None,
    ChangeTiming | None,
    TurnKind | None,
]
"""A token as it travels: short, since people copy it by hand."""


@dataclass(frozen=True, slots=True)
class QuoteSigner:
    """Makes and reads tokens with the deployment's secret, each for one customer's one subscription."""

    secret: bytes

    def sign(self, token: QuoteToken, *, customer: UUID, subscription: UUID) -> str:
        """The token as text."""
        body = msgspec.msgpack.encode(_wire(token))
        return _text(self._mac(body, customer, subscription) + body)

    def read(self, text: str, *, customer: UUID, subscription: UUID) -> QuoteToken | None:
        """What a token says; None if it was not made here for this subscription, or was altered."""
        try:
            raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except (NotBase64, ValueError):
            return None
        mac, body = raw[:MAC_BYTES], raw[MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(body, customer, subscription)) or _text(raw) != text:
            return None
        return _token(msgspec.msgpack.decode(body, type=Wire))

    def _mac(self, body: bytes, customer: UUID, subscription: UUID) -> bytes:
        return hmac.digest(self.secret, PURPOSE + customer.bytes + subscription.bytes + body, "sha256")


def _wire(token: QuoteToken) -> Wire:
    turn = token.request if isinstance(token.request, Turn) else None
    asked = (
        token.request
        if isinstance(token.request, ChangeRequest)
        else ChangeRequest(timing=token.request.timing)
    )
    seats = tuple((each.metric, each.total, each.add, each.remove) for each in asked.seats)
    at, until = int(token.at.timestamp()), int(token.valid_until.timestamp())
    kind = turn.kind if turn else None
    return at, until, token.digest, asked.plan, asked.interval, seats, asked.mode, asked.timing, kind


def _token(wire: Wire) -> QuoteToken:
    at, until, shown, plan, interval, seats, mode, timing, kind = wire
    change = ChangeRequest(plan, interval, tuple(SeatQuantity(*asked) for asked in seats), mode, timing)
    request = Turn(kind, timing) if kind else change
    return QuoteToken(datetime.fromtimestamp(at, UTC), request, shown, datetime.fromtimestamp(until, UTC))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def valid_until(*, wall: datetime, clock: datetime, period_end: datetime) -> datetime:
    """Until when a quote binds, by the wall clock: fifteen minutes, and never past the period that it was
    made in.
    """
    until = min(wall + LIFETIME, wall + (period_end - clock))
    return until.astimezone(UTC).replace(microsecond=0)


def digest(quote: Quote, state: State) -> bytes:
    """SHA-256 of all that is shown as due or waiting: lines, totals, credit, and the seats and schedule that
    result, with the seats of the state that they take the place of. Not the ids of lines that credits
    reverse: a renewal that is due gives them when it is written.
    """
    posting = quote.posting
    seats_later = (change.metric for change in posting.scheduled if isinstance(change, SeatsAtRenewal))
    shown: dict[str, Any] = {
        "lines": [(replace(quoted.line, reverses=None), quoted.waits) for quoted in quote.lines],
        "due": quote.due_now,
        "credit": quote.credit_added,
        "seats": posting.events,
        "price": posting.price.id,
        "status": posting.subscription.status,
        "period": posting.subscription.period,
        "scheduled": posting.scheduled,
        "instead_of": [state.level(metric).committed for metric in seats_later],
        "replaces": tuple(scheduled.id for scheduled in posting.settled),
    }
    return sha256(msgspec.json.encode(shown)).digest()


def fingerprint(value: Any) -> str:
    """SHA-256 of a frozen request as canonical JSON, to tell a reused key from a repeated request."""
    return sha256(CANONICAL.encode(value)).hexdigest()
