"""Who may do what: one table. Every service asks it, `viewer` shows it with reasons, and the README prints
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final
from uuid import UUID

from app.billing.refusals import NotPermitted


class Role(Enum):
    """What a member is for the customer."""

    OWNER = "OWNER"
    BILLING_ADMIN = "BILLING_ADMIN"
    SEAT_MANAGER = "SEAT_MANAGER"
    VIEWER = "VIEWER"


class Permission(Enum):
    """What can be allowed; the value says it in words."""

    SEE_MONEY = "see invoices and the credit balance"
    PREVIEW_CHANGE = "see what a change would cost"
    CHANGE_PLAN = "change the plan or the seats"
    CANCEL_SCHEDULED_CHANGE = "cancel a scheduled change"
    CANCEL_SUBSCRIPTION = "cancel the subscription"
    RESUME_SUBSCRIPTION = "resume the subscription"
    ASSIGN_SEAT = "give somebody a seat"
    RELEASE_SEAT = "take somebody's seat back"


GRANTS: Final[Mapping[Permission, frozenset[Role]]] = {
    Permission.SEE_MONEY: frozenset({Role.OWNER, Role.BILLING_ADMIN, Role.VIEWER}),
    Permission.PREVIEW_CHANGE: frozenset({Role.OWNER, Role.BILLING_ADMIN, Role.SEAT_MANAGER}),
    Permission.CHANGE_PLAN: frozenset({Role.OWNER, Role.BILLING_ADMIN}),
    Permission.CANCEL_SCHEDULED_CHANGE: frozenset({Role.OWNER, Role.BILLING_ADMIN}),
    Permission.CANCEL_SUBSCRIPTION: frozenset({Role.OWNER, Role.BILLING_ADMIN}),
    Permission.RESUME_SUBSCRIPTION: frozenset({Role.OWNER, Role.BILLING_ADMIN}),
    Permission.ASSIGN_SEAT: frozenset({Role.OWNER, Role.BILLING_ADMIN, Role.SEAT_MANAGER}),
    Permission.RELEASE_SEAT: frozenset({Role.OWNER, Role.BILLING_ADMIN, Role.SEAT_MANAGER}),
}
"""Seats, plans and list prices are visible to every role. Who may preview a change learns what it costs; the
customer's own money (documents, credit in hand, what is open) is for those who may see it.
"""


class ActorKind(Enum):
    """What calls: a member through the portal, the vendor's back end, or Seatport by itself."""

    MEMBER = "MEMBER"
    API_KEY = "API_KEY"
    SYSTEM = "SYSTEM"


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller of a service. A member has a customer and a role; the others may do everything for the
    customer they act on.
    """

    kind: ActorKind
    name: str
    customer: UUID | None = None
    member: UUID | None = None
    role: Role | None = None
    email: str | None = None

    def may(self, permission: Permission) -> bool:
        return self.refusal(permission) is None

    def refusal(self, permission: Permission) -> NotPermitted | None:
        """None if the actor may; else why not, and who may."""
        if self.kind is not ActorKind.MEMBER or self.role in GRANTS[permission]:
            return None
        roles = " or ".join(_words(role) for role in Role if role in GRANTS[permission])
        mine = _words(self.role) if self.role else "member without a role"
        return NotPermitted(f"A {mine} cannot {permission.value}. Ask an {roles}.")


SYSTEM: Final = Actor(ActorKind.SYSTEM, "seatport")
OPERATOR: Final = Actor(ActorKind.SYSTEM, "operator")
"""Whoever runs the commands on the server."""


def _words(role: Role) -> str:
    return role.value.lower().replace("_", " ")
