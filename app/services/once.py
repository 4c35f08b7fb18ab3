"""The same deed once for each idempotency key: what it came to is kept in the same transaction, and is told
again. Refusals are not kept, since nothing was done. A key counts for one customer and one operation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from app.billing.refusals import IdempotencyKeyReused
from app.store import commits
from app.store.commits import Outcome
from app.store.transaction import Tx

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for under a key: the operation, and the fingerprint of all that was sent."""

    operation: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """What the key did before, as it was told then."""

    body: dict[str, Any]


def repeated(tx: Tx, asked: Asked) -> Repeated | IdempotencyKeyReused | None:
    """What the key did before; None if it is new."""
    done = commits.outcome(tx, asked.operation, asked.key)
    if done is None:
        return None
    return (
        Repeated(done.body["answer"])
        if done.fingerprint == asked.fingerprint
        else IdempotencyKeyReused(asked.key)
    )


def once(
    tx: Tx, asked: Asked, deed: Callable[[Tx], AnswerT], told: Callable[[AnswerT], dict[str, Any] | None]
) -> AnswerT | Repeated | IdempotencyKeyReused:
    """Do the deed if the key is new, and keep what is told of it; a refusal, of which nothing is told, is not
    kept.
    """
    known = repeated(tx, asked)
    if known is not None:
        return known
    answer = deed(tx)
    body = told(answer)
    if body is not None:
        commits.record_outcome(tx, asked.operation, asked.key, Outcome(asked.fingerprint, {"answer": body}))
    return answer
