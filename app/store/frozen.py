"""Frozen values in JSON columns: their text on the way in, the same value on the way out. Decimals and ids
are text there.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from app.store.columns import JsonText, canonical

ValueT = TypeVar("ValueT")

_encode = msgspec.json.Encoder(order="sorted").encode


def to_json(value: Any) -> JsonText:
    """A frozen value as a JSON column holds it, with lists for tuples."""
    text = _encode(value).decode()
    # What may be a NUL character is looked at closely: it is refused, unless it is a backslash and more.
    return JsonText(canonical(msgspec.json.decode(text)) if "\\u0000" in text else text)


def from_json(body: Any, kind: type[ValueT]) -> ValueT:
    """The value that `to_json` wrote; `msgspec.ValidationError` if the body is of another kind."""
    return msgspec.convert(body, kind)
