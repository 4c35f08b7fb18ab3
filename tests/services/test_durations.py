"""Durations: their form, and months and days by the calendar of a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.services.durations import Duration, parse_duration

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("P1M", Duration(months=1)),
        ("P1Y2M", Duration(months=14)),
        ("P2W", Duration(days=14)),
        ("P1W3D", Duration(days=10)),
        ("PT36H", Duration(time=timedelta(hours=36))),
        ("P1DT1H2M3S", Duration(days=1, time=timedelta(hours=1, minutes=2, seconds=3))),
        ("PT5M", Duration(time=timedelta(minutes=5))),
        ("P10Y", Duration(months=120)),
    ],
)
def test_a_duration_is_read(text: str, duration: Duration) -> None:
    """Years are twelve months, weeks seven days; an M after T is minutes."""
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        "", "P", "PT", "P1DT", "1M", "p1m", "P1.5M", "-P1M", "P-1M", "P1M ", "P1D1M", "P1H", "P121M",
        "P3661D", "P1٢D", "PT9999999999S",
    ],
)  # fmt: skip
def test_what_is_none_is_refused(text: str) -> None:
    """No parts, a wrong order, signs, fractions, other digits, more than ten years."""
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    ("at", "duration", "later"),
    [
        ("2026-01-31T11:00+00:00", "P1M", "2026-02-28T11:00+00:00"),
        ("2026-03-15T11:00+00:00", "P1M", "2026-04-15T10:00+00:00"),
        ("2026-03-28T11:00+00:00", "P1D", "2026-03-29T10:00+00:00"),
        ("2026-03-28T11:00+00:00", "PT24H", "2026-03-29T11:00+00:00"),
        ("2026-03-28T01:30+00:00", "P1D", "2026-03-29T01:00+00:00"),
        ("2026-12-31T23:30+00:00", "P1M", "2027-01-31T23:30+00:00"),
        ("2024-02-29T12:00+00:00", "P1Y", "2025-02-28T12:00+00:00"),
        ("2026-01-31T11:00+00:00", "P1MT1H", "2026-02-28T12:00+00:00"),
    ],
)
def test_months_and_days_follow_the_calendar(at: str, duration: str, later: str) -> None:
    """A month after 31 January is 28 February. A day over the night when clocks go forward is 23 hours; 02:30
    does not exist then, and comes when the gap ends.
    """
    parsed = parse_duration(duration)

    assert parsed is not None
    assert parsed.after(datetime.fromisoformat(at).astimezone(UTC), BERLIN) == datetime.fromisoformat(later)
