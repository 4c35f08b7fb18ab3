"""The keys with which the vendor's own programs call: made by an operator, each for what it is needed for.

A key is `spk_`, 256 random bits and a checksum, all letters and digits. Scanners of leaked secrets know it by
its form, and one that was mistyped is told from a real one without asking the database. Only its SHA-256 is
stored, and keys are found by that: a copy of the database calls nothing, and there is nothing to compare.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final
from uuid import UUID

from app.billing.refusals import InvalidInput, NotFound, Problem
from app.store import api_keys
from app.store.api_keys import ApiKey
from app.store.transaction import DeploymentTx

PREFIX: Final = "spk_"
RANDOM_BITS: Final = 256
RANDOM_LENGTH: Final = 43
CHECK_LENGTH: Final = 6
ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
FORM: Final = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_LENGTH + CHECK_LENGTH}}}")
NAME_MAX: Final = 100
ALL: Final = "all"


class Scope(Enum):
    """What a key may be for. To write includes to read the same."""

    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_WRITE = "customers:write"
    SEATS_READ = "seats:read"
    SEATS_WRITE = "seats:write"
    SUBSCRIPTIONS_WRITE = "subscriptions:write"
    INVOICES_READ = "invoices:read"
    INVOICES_WRITE = "invoices:write"
    OVERRIDES_WRITE = "overrides:write"
    PORTAL_WRITE = "portal:write"
    CLOCK_WRITE = "clock:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key. The token is told this once."""

    key: ApiKey
    token: str


def issue_key(tx: DeploymentTx, name: str, scopes: Iterable[str]) -> IssuedKey | InvalidInput:
    """Make a key of these scopes; `all` is every one that there is and will be."""
    wanted = tuple(dict.fromkeys(scopes))
    known = {ALL, *(scope.value for scope in Scope)}
    problems = [_unknown(scope) for scope in wanted if scope not in known]
    if not wanted:
        problems.append(Problem("scope", f"Say what the key is for: {ALL}, or some of {_listed()}."))
    if not 1 <= len(name) <= NAME_MAX or not name.isprintable():
        problems.append(Problem("name", f"Give a name of 1 to {NAME_MAX} printable characters."))
    if problems:
        return InvalidInput(tuple(problems))
    token = new_token()
    key = ApiKey(tx.new_id(), name, wanted, created_at=tx.wall)
    api_keys.add(tx, key, hash_of(token))
    return IssuedKey(key, token)


def revoke_key(tx: DeploymentTx, key: UUID) -> NotFound | None:
    """From now on the key opens nothing; also if it did not before."""
    return None if api_keys.revoke(tx, key) else NotFound("API key")


def allows(scopes: Iterable[str], needed: Scope) -> bool:
    """Whether a key of these scopes may do what needs one."""
    resource, _, action = needed.value.partition(":")
    enough = {ALL, needed.value} | ({f"{resource}:write"} if action == "read" else set())
    return not enough.isdisjoint(scopes)


def new_token() -> str:
    """A token that nobody has."""
    body = PREFIX + _base62(secrets.randbits(RANDOM_BITS), RANDOM_LENGTH)
    return body + _checksum(body)


def hash_of(token: str) -> str:
    """By what a token is stored and found."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_token(text: str) -> bool:
    """Whether a text has the form of a token, checksum included."""
    if FORM.fullmatch(text) is None:
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


def _unknown(scope: str) -> Problem:
    return Problem("scope", f"There is no scope {scope!r}. Give {ALL}, or some of {_listed()}.")


def _listed() -> str:
    return ", ".join(scope.value for scope in Scope)
