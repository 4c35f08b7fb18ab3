"""The wall clock. The one place that reads it: the tops (main, cli, worker) read it here and hand the instant down."""

from datetime import UTC, datetime


def wall_clock() -> datetime:
    """The present instant, aware and in UTC."""
    return datetime.now(UTC)
