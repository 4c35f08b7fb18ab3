"""What follows from a try: the schedule, and what endpoints ask for."""

from datetime import UTC, datetime, timedelta

import pytest

from app.gateways.webhooks import Answer, Failure, NoAnswer, Outcome
from app.services.webhook_rules import GAPS, TRIES, judged
from app.store.webhooks import Status

AT = datetime(2026, 4, 16, 9, 30, tzinfo=UTC)
DOWN = NoAnswer(Failure.CONNECTION, 3)


def answered(status: int, retry_after: str | None = None) -> Answer:
    return Answer(status, retry_after, 3)


def test_the_schedule_is_that_of_the_standard() -> None:
    """Ten tries: at once, then after 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h; 75:35:05 h in all."""
    after = [judged(DOWN, of_round=number, at=AT, dice=0.5).next_at for number in range(1, TRIES)]

    assert [at - AT for at in after if at is not None] == list(GAPS)
    assert sum(GAPS, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)
    assert judged(DOWN, of_round=TRIES, at=AT, dice=0.5).status is Status.FAILED


def test_gaps_are_stretched_by_a_tenth_at_most() -> None:
    """The dice decide between nine and eleven tenths of a gap."""
    for number, gap in enumerate(GAPS, 1):
        least = judged(DOWN, of_round=number, at=AT, dice=0).next_at
        most = judged(DOWN, of_round=number, at=AT, dice=1).next_at
        assert (least, most) == (AT + gap * 0.9, AT + gap * 1.1)


@pytest.mark.parametrize(
    ("outcome", "status", "gone"),
    [
        (answered(200), Status.DELIVERED, False),
        (answered(204), Status.DELIVERED, False),
        (answered(299), Status.DELIVERED, False),
        (answered(100), Status.WAITING, False),
        (answered(301), Status.WAITING, False),
        (answered(304), Status.WAITING, False),
        (answered(400), Status.WAITING, False),
        (answered(404), Status.WAITING, False),
        (answered(410), Status.FAILED, True),
        (answered(500), Status.WAITING, False),
        (DOWN, Status.WAITING, False),
        (NoAnswer(Failure.ADDRESS, 0), Status.WAITING, False),
    ],
)
def test_only_success_is_success(outcome: Outcome, status: Status, gone: bool) -> None:  # noqa: FBT001
    """200 to 299 deliver, 410 ends it and the endpoint, all else is tried again; nobody is held off."""
    verdict = judged(outcome, of_round=1, at=AT, dice=0.5)

    assert (verdict.status, verdict.gone, verdict.held_until) == (status, gone, None)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("3", 5),
        ("0", 5),
        ("Thu, 16 Apr 2026 09:40:00 GMT", 600),
        ("Thu, 16 Apr 2026 09:40:00", 600),
        ("Thu, 16 Apr 2026 08:00:00 GMT", 5),
        ("99999999999999", 24 * 3600),
        ("Fri, 16 Apr 2100 09:40:00 GMT", 24 * 3600),
        ("soon", 5),
        ("-5", 5),
        ("1.5", 5),
        ("²", 5),
        ("", 5),
        (None, 5),
    ],
)
def test_an_endpoint_is_left_alone_for_as_long_as_it_asks(said: str | None, seconds: int) -> None:
    """Seconds or a date, at most a day; never less than the schedule. 429 speaks for the whole endpoint."""
    asked = AT + timedelta(seconds=seconds)

    assert judged(answered(503, said), of_round=1, at=AT, dice=0.5).next_at == asked
    overloaded = judged(answered(429, said), of_round=1, at=AT, dice=0.5)
    assert (overloaded.next_at, overloaded.held_until) == (asked, asked)


@pytest.mark.parametrize("status", [429, 502, 504])
def test_who_is_overloaded_gets_a_breath(status: int) -> None:
    """Five seconds for the whole endpoint where it says nothing else, also after the last try."""
    first, last = (judged(answered(status), of_round=number, at=AT, dice=0.5) for number in (1, TRIES))

    assert first.held_until == last.held_until == AT + timedelta(seconds=5)
    assert last.status is Status.FAILED
