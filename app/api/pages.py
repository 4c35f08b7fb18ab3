"""What every connection needs: a bounded page size, opaque cursors, and `PageInfo`. A cursor is the sort key
of a row (a key-set cursor), so a page costs the same however far down the list it is, and rows that arrive
while somebody leafs through neither repeat nor hide others.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import strawberry

from app.api.errors import PublicError

PAGE_SIZE_MAX: Final = 100
CURSOR_LENGTH_MAX: Final = 500
INTEGER_MAX: Final = 2**31 - 1  # A PostgreSQL integer; asyncpg refuses to bind more.
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

Key = str | int | date | datetime | UUID


@strawberry.type(description="Where a page lies in its list, and the cursors to ask for its neighbours.")
class PageInfo:
    """Where a page lies in its list, and the cursors to ask for its neighbours."""

    has_next_page: bool = strawberry.field(
        description="True when more follow: ask again with `after: endCursor`."
    )
    has_previous_page: bool = strawberry.field(description="True when the page was asked for with `after`.")
    start_cursor: str | None = strawberry.field(
        description="The cursor of the first element; null on an empty page."
    )
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last element; null on an empty page."
    )


def page_info(cursors: Sequence[str], *, more: bool, after: str | None) -> PageInfo:
    """The `PageInfo` of a page with these cursors, asked for with `after`; `more` when elements follow."""
    return PageInfo(
        has_next_page=more,
        has_previous_page=after is not None,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )


def page_size(first: int, *, most: int = PAGE_SIZE_MAX) -> int:
    """`first`, when it is from 1 to `most`; else `PublicError`."""
    if 1 <= first <= most:
        return first
    raise PublicError(f"`first` is {first}. Ask for 1 to {most} elements; the rest follows with `after`.")


@dataclass(frozen=True, slots=True)
class Cursors:
    """The cursors of one list: its name, so that no other list takes them, and the types of its sort key."""

    list_name: str
    key: tuple[type[Key], ...]

    def encode(self, *key: Key) -> str:
        """The cursor of the row with this sort key."""
        assert tuple(type(part) for part in key) == self.key, "a cursor holds the sort key of its list"
        text = json.dumps([self.list_name, *map(_to_json, key)], separators=(",", ":"), ensure_ascii=False)
        return urlsafe_b64encode(text.encode()).decode("ascii").rstrip("=")

    def decode(self, cursor: str | None) -> tuple[Any, ...] | None:
        """The sort key in a cursor, None for no cursor; `PublicError` for one that this list did not give
        out.
        """
        if cursor is None:
            return None
        try:
            key = self._decoded(cursor)
        except (ValueError, TypeError, OverflowError, RecursionError):
            key = None
        if key is None or self.encode(*key) != cursor:
            raise PublicError(
                f"{_shortened(cursor)!r} is no cursor of this list. Take `endCursor` of the page before, "
                "or leave `after` out for the first page."
            )
        return key

    def _decoded(self, cursor: str) -> tuple[Key, ...] | None:
        if len(cursor) > CURSOR_LENGTH_MAX or not cursor.isascii():
            return None
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = json.loads(urlsafe_b64decode(padded).decode())
        if not isinstance(parts, list) or len(parts) != 1 + len(self.key) or parts[0] != self.list_name:
            return None
        return tuple(FROM_JSON[kind](part) for kind, part in zip(self.key, parts[1:], strict=True))


def _to_json(part: Key) -> str | int:
    match part:
        case datetime():
            return (part - EPOCH) // MICROSECOND
        case date():
            return part.isoformat()
        case UUID():
            return part.hex
        case _:
            return part


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise TypeError("not a text")
    return value


def _integer(value: Any) -> int:
    if type(value) is not int or abs(value) > INTEGER_MAX:
        raise TypeError("not a small whole number")
    return value


def _instant(value: Any) -> datetime:
    if type(value) is not int:
        raise TypeError("not microseconds")
    return EPOCH + value * MICROSECOND


FROM_JSON: Final[Mapping[type[Key], Any]] = {
    str: _text,
    int: _integer,
    datetime: _instant,
    date: lambda value: date.fromisoformat(_text(value)),
    UUID: lambda value: UUID(_text(value)),
}


def _shortened(text: str, *, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
