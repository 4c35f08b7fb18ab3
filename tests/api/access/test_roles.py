"""The table of roles in the README is the one by which people may do things: each of its cells is tried."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import pytest
from graphql import GraphQLObjectType, build_schema

from app.billing.permissions import GRANTS, Permission, Role
from tests.api.access.door import OWN_PAGE, Door, cookie
from tests.api.schema.asking import confirm, seats
from tests.architecture.source import ROOT, imported, modules

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
SCHEMA: Final = build_schema((ROOT / "graphql" / "schema.graphql").read_text(encoding="utf-8"))
ROLES: Final = (Role.OWNER, Role.BILLING_ADMIN, Role.SEAT_MANAGER, Role.VIEWER)
MONEY: Final = "seeMoney"
OUTCOME: Final = "__typename ... on NotPermitted { message }"
HEAD: Final = "| | owner | billing admin | seat manager | viewer |\n|---|---|---|---|---|\n"
EVERYBODY: Final = ("subscription", "seatBalances", "seatEvents", "seatHistory", "seatHolders", "plans")
OF_MONEY: Final = (
    "invoices", "invoice", "creditNotes", "creditNote", "upcomingInvoice", "creditBalance", "billingDetails",
)  # fmt: skip
NEEDED: Final = {
    "previewChangePlan": Permission.PREVIEW_CHANGE,
    "changePlan": Permission.CHANGE_PLAN,
    "cancelScheduledChange": Permission.CANCEL_SCHEDULED_CHANGE,
    "previewCancelSubscription": Permission.PREVIEW_CHANGE,
    "cancelSubscription": Permission.CANCEL_SUBSCRIPTION,
    "previewResumeSubscription": Permission.PREVIEW_CHANGE,
    "resumeSubscription": Permission.RESUME_SUBSCRIPTION,
    "assignSeat": Permission.ASSIGN_SEAT,
    "releaseSeat": Permission.RELEASE_SEAT,
}


SEEN: Final = """
query ($invoice: ID!, $note: ID!) {
  customer {
    subscription { id } seatBalances { committed } seatEvents { edges { cursor } }
    seatHistory(metric: "editor", from: "2026-04-01", until: "2026-04-10") { date }
    seatHolders { edges { cursor } }
    invoices { edges { cursor } } creditNotes { edges { cursor } }
    upcomingInvoice { on } creditBalance { amount } billingDetails { missing }
  }
  plans { code }
  invoice(id: $invoice) { number }
  creditNote(id: $note) { number }
  one: node(id: $invoice) { id }
  other: node(id: $note) { id }
}
"""


@dataclass(frozen=True)
class Row:
    """A row of the README's table: what it is about, and the roles that may."""

    names: tuple[str, ...]
    roles: frozenset[Role]


def rows() -> list[Row]:
    """The table as the README has it."""
    found = []
    for line in README.partition(HEAD)[2].partition("\n\n")[0].splitlines():
        first, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        assert set(cells) <= {"yes", "no"}
        may = zip(ROLES, cells, strict=True)
        found.append(
            Row(tuple(re.findall(r"`(\w+)`", first)), frozenset(role for role, cell in may if cell == "yes"))
        )
    return found


def written() -> str:
    """The table as it follows from the program."""

    def row(first: str, roles: frozenset[Role]) -> str:
        return f"| {first} | {' | '.join('yes' if role in roles else 'no' for role in ROLES)} |\n"

    def quoted(names: tuple[str, ...]) -> str:
        return " ".join(f"`{name}`" for name in names)

    deeds = "".join(row(f"`{name}`", GRANTS[needed]) for name, needed in NEEDED.items())
    money = row(f"`{MONEY}`: {quoted(OF_MONEY)}", GRANTS[Permission.SEE_MONEY])
    return HEAD + row(quoted(EVERYBODY), frozenset(ROLES)) + money + deeds


def test_the_table_is_the_one_of_the_program() -> None:
    """Word for word; and it has a row for every mutation, for every permission that is told, every role, and
    for every field of the customer whose description speaks of roles.
    """
    assert written() in README

    told = {name for row in rows() for name in row.names}
    mutation, permissions = SCHEMA.mutation_type, SCHEMA.type_map["Permissions"]
    assert mutation is not None
    assert isinstance(permissions, GraphQLObjectType)
    assert set(NEEDED) == set(mutation.fields)
    assert {*NEEDED, MONEY} == set(permissions.fields)
    assert set(ROLES) == set(Role)
    assert set(NEEDED.values()) | {Permission.SEE_MONEY} == set(Permission)
    assert told == {*EVERYBODY, MONEY, *OF_MONEY, *NEEDED}
    customer, query = SCHEMA.type_map["Customer"], SCHEMA.query_type
    assert isinstance(customer, GraphQLObjectType)
    assert query is not None
    hidden = {
        name
        for kind in (customer, query)
        for name, field in kind.fields.items()
        if "role" in (field.description or "")
    }
    assert hidden - {"node"} == set(OF_MONEY)


def test_members_reach_no_other_verb() -> None:
    """The verbs that GraphQL can call are those of its mutations, which ask for permission, each cell of it
    tried below; the vendor's and the operator's are out of its reach.
    """
    reached = {
        name
        for module in modules("app/api")
        if not module.path.startswith("app/api/rest/")
        for _, name in imported(module.tree)
        if name.startswith("app.services.")
    }
    named = {name.split(".")[2] for name in reached}
    snake = {re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name) for name in NEEDED}
    calling = {name for name in named if verbs_of(name)}

    assert calling == snake - {"preview_cancel_subscription", "preview_resume_subscription"}
    reading = {"replayed"}
    assert {verb for name in calling for verb in verbs_of(name)} - reading == snake


def verbs_of(name: str) -> set[str]:
    """The functions of a service that somebody calls to do something."""
    found = vars(import_module(f"app.services.{name}"))
    return {
        verb
        for verb, value in found.items()
        if inspect.isfunction(value) and value.__module__.endswith(f".{name}") and not verb.startswith("_")
        if list(inspect.signature(value).parameters)[:2] == ["tx", "actor"]
    }


def deeds(subscription: str) -> dict[str, dict[str, Any]]:
    """An input for each mutation."""
    change = {"subscriptionId": subscription, "seats": [{"metric": "editor", "quantity": {"add": 1}}]}
    mine, key = {"subscriptionId": subscription}, {"idempotencyKey": "k"}
    return {
        "previewChangePlan": change,
        "changePlan": {**change, **key},
        "cancelScheduledChange": {"scheduledChangeId": "chg_x", **key},
        "previewCancelSubscription": mine,
        "cancelSubscription": {**mine, **key},
        "previewResumeSubscription": mine,
        "resumeSubscription": {**mine, **key},
        "assignSeat": {"metric": "editor", "holder": {"reference": "new"}, **key},
        "releaseSeat": {"metric": "editor", "reference": "user-0", **key},
    }


@pytest.mark.parametrize("name", sorted(NEEDED))
@pytest.mark.parametrize("role", ROLES)
async def test_each_deed_of_each_role(door: Door, role: Role, name: str) -> None:
    """Who may, is not told that they may not; who may not, is told so and nothing else, with the reason that
    `viewer` gave.
    """
    (row,) = [row for row in rows() if row.names == (name,)]
    session = await door.come_in("somebody", role.value)
    kind = f"{name[0].upper()}{name[1:]}Input!"
    answer = await asked(
        door,
        session,
        f"mutation ($input: {kind}) {{ {name}(input: $input) {{ {OUTCOME} }} }}",
        input=deeds(door.caller.world.subscription_id)[name],
    )
    viewer = await asked(
        door, session, f"{{ viewer {{ role permissions {{ {name} {{ allowed reason }} }} }} }}"
    )

    may = role in row.roles
    done, permission = answer[name], viewer["viewer"]["permissions"][name]
    assert viewer["viewer"]["role"] == role.value
    assert (done["__typename"] != "NotPermitted", permission["allowed"]) == (may, may)
    assert permission["reason"] == done.get("message")
    assert (permission["reason"] is None) == may


@pytest.mark.parametrize("role", ROLES)
async def test_what_each_role_sees(door: Door, role: Role) -> None:
    """Each field of money is there or null, and so is whatever has an id; what is everybody's is there."""
    world = door.caller.world
    note = (await confirm(world, seats=seats(remove=5)))["creditNote"]["id"]
    everybody, money = (row for row in rows() if len(row.names) > 1)
    session = await door.come_in("somebody", role.value)
    owner = await asked(
        door, await door.come_in("boss"), "{ customer { invoices { edges { node { id } } } } }"
    )
    invoice = owner["customer"]["invoices"]["edges"][0]["node"]["id"]
    answer = await asked(door, session, SEEN, invoice=invoice, note=note)

    found = {**answer["customer"], **{name: answer[name] for name in ("plans", "invoice", "creditNote")}}
    may = role in money.roles
    assert {name: found[name] is not None for name in everybody.names} == dict.fromkeys(EVERYBODY, True)
    assert {name: found[name] is not None for name in OF_MONEY} == dict.fromkeys(OF_MONEY, may)
    assert [answer[name] is not None for name in ("one", "other")] == [may, may]
    permission = (await asked(door, session, "{ viewer { permissions { seeMoney { allowed } } } }"))["viewer"]
    assert permission["permissions"][MONEY]["allowed"] == may


async def asked(door: Door, session: str, query: str, **variables: Any) -> dict[str, Any]:
    """The data of an answer to a page that has a session."""
    body = {"query": query, "variables": variables}
    answer = await door.http.post("/graphql", json=body, headers={**OWN_PAGE, **cookie(session)})
    told: dict[str, Any] = answer.json()
    assert "errors" not in told, told
    return dict(told["data"])
