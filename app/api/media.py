"""Which JSON a client wants, and which it may send: GraphQL over HTTP knows
`application/graphql-response+json`, whose status says whether the request was good, and the older
`application/json`, which is 200 for every request that was well formed.
"""

import re
from typing import Final, NamedTuple

GRAPHQL: Final = "application/graphql-response+json"
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
TEXT: Final = "text/plain"
ACCEPT_LENGTH_MAX: Final = 2000

_QUALITY: Final = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


class _Wish(NamedTuple):
    """How much a client wants a media type, and whether it named the type itself."""

    quality: int
    named: bool


def negotiated(accept: str) -> str | None:
    """The media type to answer with for an Accept header, `JSON` for an empty one; None when neither fits.

    The higher quality wins, then a type named over one that only a wildcard covers, then the newer type; a
    client that takes everything is an old one and gets `JSON`.
    """
    if not accept.strip():
        return JSON
    ranges = _ranges(accept[:ACCEPT_LENGTH_MAX])
    newer, older = _wish(ranges, GRAPHQL), _wish(ranges, JSON)
    best = max(newer, older)
    if best.quality == 0:
        return None
    return GRAPHQL if newer == best and newer.named else JSON if older == best else GRAPHQL


def is_json(content_type: str) -> bool:
    """True for exactly `application/json`, in UTF-8 if a charset is named."""
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    return kind == JSON and all(part in {"", "charset=utf-8", 'charset="utf-8"'} for part in parameters)


def _ranges(accept: str) -> dict[str, int]:
    """Quality in thousandths by media range; ranges with a malformed quality are left out."""
    found: dict[str, int] = {}
    for item in accept.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        quality = next((part[2:].strip() for part in parameters if part.startswith("q=")), "1")
        if _QUALITY.fullmatch(quality):
            whole, _, thousandths = quality.partition(".")
            found[name] = int(whole) * 1000 + int(thousandths.ljust(3, "0"))
    return found


def _wish(ranges: dict[str, int], media_type: str) -> _Wish:
    if media_type in ranges:
        return _Wish(ranges[media_type], named=True)
    return _Wish(ranges.get("application/*", ranges.get("*/*", 0)), named=False)
