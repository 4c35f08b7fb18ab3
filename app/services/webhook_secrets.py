"""The secrets that sign what is sent to endpoints. They are made from the deployment's own secret and kept
nowhere: a copy of the database signs nothing.

Each is HMAC-SHA256 of SEATPORT_SECRET over an id, so 32 bytes that nobody guesses without it. Kept is the id,
and a proof by which a changed SEATPORT_SECRET is noticed before anything goes out with a signature that
nobody can check: then messages wait, and each endpoint needs its secret rotated.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from app.store.webhook_endpoints import Secret

PURPOSE: Final = b"seatport webhook secret\0"
PROOF_LENGTH: Final = 32


class Keyring:
    """Makes the keys of secrets, anew each time they are needed."""

    def __init__(self, deployment_secret: str) -> None:
        self._deployment_secret = deployment_secret.encode()

    def key(self, secret: UUID) -> bytes:
        """The signing key of a secret."""
        return hmac.digest(self._deployment_secret, PURPOSE + secret.bytes, hashlib.sha256)

    def proof(self, secret: UUID) -> str:
        """What is kept to know the key by again; it says nothing about it."""
        return hashlib.sha256(self.key(secret)).hexdigest()[:PROOF_LENGTH]

    def known(self, secrets: Iterable[Secret]) -> list[bytes]:
        """The keys of those secrets that were made with this deployment's secret, in their order."""
        return [self.key(each.id) for each in secrets if hmac.compare_digest(self.proof(each.id), each.proof)]
