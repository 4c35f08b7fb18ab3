"""Tokens that are handed out: a prefix that says what it is, 256 random bits and a checksum, all letters and
digits. Scanners of leaked secrets know them by their form, and one that was mistyped is told from a real one
without asking the database. Only the SHA-256 is stored, and tokens are found by that: a copy of the database
opens nothing, and there is nothing to compare.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from typing import Final

RANDOM_BITS: Final = 256
RANDOM_LENGTH: Final = 43
CHECK_LENGTH: Final = 6
ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
BODY: Final = re.compile(rf"[0-9A-Za-z]{{{RANDOM_LENGTH + CHECK_LENGTH}}}")


def made(prefix: str) -> str:
    """A token that nobody has."""
    body = prefix + _base62(secrets.randbits(RANDOM_BITS), RANDOM_LENGTH)
    return body + _checksum(body)


def hash_of(token: str) -> str:
    """By what a token is stored and found."""
    return hashlib.sha256(token.encode()).hexdigest()


def has_form(text: str, prefix: str) -> bool:
    """Whether a text has the form of a token with this prefix, checksum included."""
    if not text.startswith(prefix) or BODY.fullmatch(text[len(prefix) :]) is None:
        return False
    body, check = text[:-CHECK_LENGTH], text[-CHECK_LENGTH:]
    return secrets.compare_digest(check, _checksum(body))


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECK_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
