"""What follows from a try of a message: when the next is, or that there is none, and whether the endpoint is
left alone.

The schedule is the example of Standard Webhooks: ten tries, the last after more than three days. Each gap is
stretched or cut by up to a tenth, so that what failed together does not come back together. Only a status of
200 to 299 is success; a redirect is none. Pure: no clock, no dice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from app.gateways.webhooks import Answer, Outcome
from app.store.webhooks import Status

GAPS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long after a try the next one is. The first is at once."""

TRIES: Final = len(GAPS) + 1
JITTER: Final = 0.1
OVERLOADED: Final = frozenset({429, 502, 504})
BREATH: Final = timedelta(seconds=5)
RETRY_AFTER_MAX: Final = timedelta(hours=24)
GONE: Final = 410
FAILING_MAX: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a try.

    :ivar next_at: when to try again, if the delivery waits on
    :ivar held_until: until when the whole endpoint is left alone, as it asked to be
    :ivar gone: whether the endpoint is not to be used any more
    """

    status: Status
    next_at: datetime | None = None
    held_until: datetime | None = None
    gone: bool = False


def judged(outcome: Outcome, *, of_round: int, at: datetime, dice: float) -> Verdict:
    """What follows from the outcome of a try.

    :param of_round: which try it was, from 1
    :param at: when it was over
    :param dice: between 0 and 1; stretches the gap
    """
    if isinstance(outcome, Answer) and outcome.delivered:
        return Verdict(Status.DELIVERED)
    if isinstance(outcome, Answer) and outcome.status == GONE:
        return Verdict(Status.FAILED, gone=True)
    asked = _asked(outcome, at)
    overloaded = isinstance(outcome, Answer) and outcome.status in OVERLOADED
    held_until = at + max(asked, BREATH) if overloaded else None
    if of_round >= TRIES:
        return Verdict(Status.FAILED, held_until=held_until)
    gap = GAPS[of_round - 1] * (1 + JITTER * (2 * dice - 1))
    return Verdict(Status.WAITING, at + max(gap, asked), held_until)


def _asked(outcome: Outcome, at: datetime) -> timedelta:
    """How long the endpoint wants to be left alone; nothing if it does not say, or not readably."""
    text = (outcome.retry_after or "").strip() if isinstance(outcome, Answer) else ""
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), RETRY_AFTER_MAX)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return timedelta(0)
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until - at, timedelta(0)), RETRY_AFTER_MAX)
