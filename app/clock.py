"""The wall clock, read here alone: the tops (main, cli, worker) read it and hand the instant down."""

from datetime import UTC, datetime


def wall_clock() -> datetime:
    """The present instant, aware and in UTC."""
    return datetime.now(UTC)
