"""Tries of messages, in two transactions with the sending between them: `begin` takes them, `finish` notes
what came of them. Whoever is killed between the two leaves a lease that ends, after which the messages go out
again under the same ids: at least once, never not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.gateways.webhooks import Answer, Outcome
from app.services.webhook_rules import FAILING_MAX, Verdict, judged
from app.services.webhook_secrets import Keyring
from app.store import webhook_endpoints, webhooks
from app.store.tables.webhooks import DisabledBecause
from app.store.transaction import DeploymentTx
from app.store.webhooks import Attempt, Status, Try

UNSIGNED_PAUSE: Final = timedelta(minutes=1)
UNSIGNED: Final = "SEATPORT_SECRET has changed: rotate the secret of this endpoint."


@dataclass(frozen=True, slots=True)
class Batch:
    """Tries to one endpoint that may be sent now, with the keys to sign them by, newest first."""

    tries: tuple[Try, ...]
    keys: tuple[bytes, ...] = ()


def begin(tx: DeploymentTx, keyring: Keyring, endpoint: UUID, limit: int) -> Batch:
    """Take what is due to an endpoint for a try; nothing if it takes nothing now."""
    to = webhook_endpoints.get(tx, endpoint)
    if to is None or not to.takes(tx.wall):
        return Batch(())
    keys = keyring.known(webhook_endpoints.secrets(tx, [endpoint])[endpoint])
    if not keys:
        webhooks.put_off(tx, endpoint, tx.wall + UNSIGNED_PAUSE, UNSIGNED)
        return Batch(())
    return Batch(tuple(webhooks.begin(tx, to, limit)), tuple(keys))


def finish(
    tx: DeploymentTx, endpoint: UUID, tried: Sequence[tuple[Try, Outcome]], dice: Callable[[], float]
) -> DisabledBecause | None:
    """Note what came of tries to an endpoint; why it was disabled by them, if it was."""
    attempts = [(taken, _attempt(tx, taken, outcome)) for taken, outcome in tried]
    webhooks.log(tx, attempts)
    verdicts = [judged(heard, of_round=taken.of_round, at=tx.wall, dice=dice()) for taken, heard in tried]
    arrived = []
    for (taken, attempt), verdict in zip(attempts, verdicts, strict=True):
        if verdict.status is Status.DELIVERED:
            arrived.append((taken, attempt))
        else:
            webhooks.not_delivered(tx, taken, attempt, verdict.next_at)
    webhooks.delivered(tx, arrived)
    return _tell_endpoint(tx, endpoint, verdicts)


def _attempt(tx: DeploymentTx, taken: Try, outcome: Outcome) -> Attempt:
    status = outcome.status if isinstance(outcome, Answer) else None
    error = None if isinstance(outcome, Answer) else outcome.why.value
    began_at = tx.wall - timedelta(milliseconds=outcome.milliseconds)
    return Attempt(taken.number, began_at, status, error, outcome.milliseconds)


def _tell_endpoint(tx: DeploymentTx, id: UUID, verdicts: Sequence[Verdict]) -> DisabledBecause | None:
    """What tries say about the endpoint as a whole."""
    endpoint = webhook_endpoints.get(tx, id)
    if endpoint is None:
        return None
    held_until = max((each.held_until for each in verdicts if each.held_until is not None), default=None)
    if held_until is not None:
        webhook_endpoints.hold(tx, id, held_until)
    why = None
    if any(each.gone for each in verdicts):
        why = DisabledBecause.GONE
    elif any(each.status is Status.DELIVERED for each in verdicts):
        webhook_endpoints.note_success(tx, endpoint)
    elif verdicts:
        webhook_endpoints.note_failure(tx, endpoint)
        failing = tx.wall - (endpoint.failing_since or tx.wall)
        given_up = any(each.status is Status.FAILED for each in verdicts)
        why = DisabledBecause.FAILING if given_up and failing >= FAILING_MAX else None
    if why is not None:
        webhook_endpoints.disable(tx, id, why)
    return why
