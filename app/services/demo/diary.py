"""What a diary is made of: scenes, each an instant, a customer and a deed. A deed is the value that its
service takes, where that needs no id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from app.billing.ledger import Holder
from app.billing.permissions import Role
from app.billing.plans import ProrationMode
from app.billing.requests import ChangeRequest, SeatQuantity
from app.services.open_portal import PortalVisit
from app.services.record_seats import SeatReport
from app.services.register_customer import NewCustomer
from app.services.start_subscription import StartSubscription


@dataclass(frozen=True, slots=True)
class PayWhatIsDue:
    """Money comes in for every open invoice."""

    method: str = "bank transfer"


@dataclass(frozen=True, slots=True)
class CorrectLastReport:
    """The last report of seats in use was wrong; it should have said this."""

    added: int
    removed: int
    note: str


Deed = (
    NewCustomer
    | StartSubscription
    | ChangeRequest
    | SeatReport
    | CorrectLastReport
    | PortalVisit
    | PayWhatIsDue
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A deed of a customer at an instant."""

    at: datetime
    customer: str
    deed: Deed


def add(metric: str, count: int, mode: ProrationMode | None = None) -> ChangeRequest:
    """More committed seats, in the plan's own mode or another."""
    return ChangeRequest(seats=(SeatQuantity(metric, add=count),), mode=mode)


def remove(metric: str, count: int, mode: ProrationMode | None = None) -> ChangeRequest:
    """Fewer committed seats, in the plan's own mode or another."""
    return ChangeRequest(seats=(SeatQuantity(metric, remove=count),), mode=mode)


def takes(metric: str, person: Holder) -> SeatReport:
    """A person takes a seat into use."""
    return SeatReport(metric, added=1, holder=person)


def leaves(metric: str, person: Holder) -> SeatReport:
    """A person gives a seat back."""
    return SeatReport(metric, removed=1, holder=person)


def team(company: str, people: dict[Role, Holder]) -> Iterator[PortalVisit]:
    """The people of a customer who look at the portal, one in each role."""
    for role, person in people.items():
        reference = member_reference(role)
        no_hash = f"demo {company} {reference}"  # No token has it, so it signs nobody in.
        yield PortalVisit(reference, role, no_hash, person.name, person.email)


def member_reference(role: Role) -> str:
    """What the one member is called who has a role in the demo, and whom the command line lets in."""
    return role.value.lower()
