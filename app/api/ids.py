"""Public ids. Inside, an id is a UUID; outside it is a prefix that says of what, and 26 characters of
Crockford's base 32 (`inv_01jb…`). They are put on and taken off here and nowhere else, and every id has
exactly one spelling.
"""

from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH: Final = 26  # 130 bits, so the first character only uses the alphabet's first eight.
VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}
BITS: Final = 128


class Kind(StrEnum):
    """What an id belongs to; the value is the prefix."""

    CUSTOMER = "cus"
    SUBSCRIPTION = "sub"
    SEAT_EVENT = "evt"
    INVOICE_LINE = "lin"
    INVOICE = "inv"
    CREDIT_NOTE = "crn"
    SCHEDULED_CHANGE = "chg"
    WEBHOOK_ENDPOINT = "whe"
    WEBHOOK_MESSAGE = "msg"
    WEBHOOK_DELIVERY = "dlv"


KINDS: Final = {kind.value: kind for kind in Kind}


class PublicId(NamedTuple):
    """An id with what it belongs to."""

    kind: Kind
    id: UUID

    def __str__(self) -> str:
        return encode(self.kind, self.id)


def encode(kind: Kind, id: UUID) -> str:
    """The public form of an id; ids of one kind sort as their UUIDs do."""
    digits = (ALPHABET[id.int >> shift & 31] for shift in range(5 * (LENGTH - 1), -1, -5))
    return f"{kind}_{''.join(digits)}"


def decode(text: str) -> PublicId | None:
    """The id a client sent; None for anything that `encode` would not have written."""
    prefix, _, digits = text.partition("_")
    kind = KINDS.get(prefix)
    if kind is None or len(digits) != LENGTH:
        return None
    number = 0
    for character in digits:
        value = VALUES.get(character)
        if value is None:
            return None
        number = number << 5 | value
    return PublicId(kind, UUID(int=number)) if number >> BITS == 0 else None


def decode_as(kind: Kind, text: str) -> UUID | None:
    """The id of one kind; None for ids of other kinds too."""
    decoded = decode(text)
    return decoded.id if decoded is not None and decoded.kind is kind else None
