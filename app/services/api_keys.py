"""The keys with which the vendor's own programs call: made by an operator, each for what it is needed for.
A key is a token that begins with `spk_`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final
from uuid import UUID

from app.billing.permissions import OPERATOR
from app.billing.refusals import InvalidInput, NotFound, Problem
from app.services import tokens
from app.store import api_keys, operations
from app.store.api_keys import ApiKey
from app.store.transaction import DeploymentTx

PREFIX: Final = "spk_"
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
    api_keys.add(tx, key, tokens.hash_of(token))
    detail = {"name": name, "scopes": list(wanted)}
    operations.note(tx, "api_key.issued", key.id, actor=OPERATOR.name, detail=detail)
    return IssuedKey(key, token)


def revoke_key(tx: DeploymentTx, key: UUID) -> NotFound | None:
    """From now on the key opens nothing; also if it did not before."""
    if not api_keys.revoke(tx, key):
        return NotFound("API key")
    operations.note(tx, "api_key.revoked", key, actor=OPERATOR.name, detail={})
    return None


def allows(scopes: Iterable[str], needed: Scope) -> bool:
    """Whether a key of these scopes may do what needs one."""
    resource, _, action = needed.value.partition(":")
    enough = {ALL, needed.value} | ({f"{resource}:write"} if action == "read" else set())
    return not enough.isdisjoint(scopes)


def new_token() -> str:
    """A token that nobody has."""
    return tokens.made(PREFIX)


def is_token(text: str) -> bool:
    """Whether a text has the form of a token, checksum included."""
    return tokens.has_form(text, PREFIX)


def _unknown(scope: str) -> Problem:
    return Problem("scope", f"There is no scope {scope!r}. Give {ALL}, or some of {_listed()}.")


def _listed() -> str:
    return ", ".join(scope.value for scope in Scope)
