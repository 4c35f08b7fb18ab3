"""One table says who may do what, and why not."""

from uuid import UUID

import pytest

from app.billing.permissions import GRANTS, SYSTEM, Actor, ActorKind, Permission, Role

TABLE = {
    Role.OWNER: set(Permission),
    Role.BILLING_ADMIN: set(Permission),
    Role.SEAT_MANAGER: {Permission.PREVIEW_CHANGE, Permission.ASSIGN_SEAT, Permission.RELEASE_SEAT},
    Role.VIEWER: {Permission.SEE_MONEY},
}


def a_member(role: Role | None) -> Actor:
    return Actor(ActorKind.MEMBER, "Ada", UUID(int=1), UUID(int=2), role)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_exactly_what_the_table_says(role: Role) -> None:
    """Owners and billing admins may everything, seat managers ask for prices and seat people, viewers see the
    money.
    """
    assert {permission for permission in Permission if a_member(role).may(permission)} == TABLE[role]


def test_every_permission_is_granted_to_somebody() -> None:
    """A permission outside the table would be a promise that nobody can use."""
    assert set(GRANTS) == set(Permission)
    assert all(Role.OWNER in roles for roles in GRANTS.values())


@pytest.mark.parametrize("actor", [SYSTEM, Actor(ActorKind.API_KEY, "backend", UUID(int=1))])
def test_the_vendor_and_seatport_itself_may_everything(actor: Actor) -> None:
    """Roles are for members; the vendor's back end and Seatport act with the vendor's authority."""
    assert all(actor.may(permission) for permission in Permission)


@pytest.mark.parametrize(
    ("role", "message"),
    [
        (Role.VIEWER, "A viewer cannot change the plan or the seats. Ask an owner or billing admin."),
        (None, "A member without a role cannot change the plan or the seats. Ask an owner or billing admin."),
    ],
)
def test_a_no_says_who_may(role: Role | None, message: str) -> None:
    """The refusal names the role, what it cannot do, and whom to ask."""
    refusal = a_member(role).refusal(Permission.CHANGE_PLAN)

    assert refusal is not None
    assert refusal.message == message
