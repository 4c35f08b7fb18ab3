"""Frozen values in JSON columns: plain data on the way in, the same value on the way out. Decimals and ids
are text there.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

ValueT = TypeVar("ValueT")


def to_json(value: Any) -> Any:
    """A frozen value as JSON can hold it, with lists for tuples."""
    return msgspec.json.decode(msgspec.json.encode(value))


def from_json(body: Any, kind: type[ValueT]) -> ValueT:
    """The value that `to_json` wrote; `msgspec.ValidationError` if the body is of another kind."""
    return msgspec.convert(body, kind)
