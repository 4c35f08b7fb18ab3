"""The one thing that look-ups across customers answer with."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Reference:
    """Where something is: its customer, and its id in the customer's rows."""

    customer: UUID
    id: UUID
