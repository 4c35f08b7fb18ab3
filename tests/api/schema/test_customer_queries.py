"""The customer, its subscription, the plans, the viewer, and ids."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.api.ids import Kind, encode
from app.billing.permissions import GRANTS, SYSTEM, Permission, Role
from app.services.record_seats import SeatReport, record_seats
from app.services.register_customer import NewCustomer, register_customer
from app.store import catalogs
from app.store.ids import new_id
from app.store.transaction import DeploymentTx
from tests.api.schema.asking import confirm, operation, seats
from tests.api.world import World, end_with_the_period

IDS = """
{
  customer {
    id
    subscription { id scheduledChanges { id } }
    seatEvents(first: 1, metric: "editor") { edges { node { id invoiceLines { id } } } }
    invoices(first: 1) { edges { node { id } } }
    creditNotes(first: 1) { edges { node { id } } }
  }
}
"""


async def ids_of(world: World) -> dict[str, str]:
    """One id of every kind, of acme, by type."""
    await confirm(world, key="less", seats=seats(remove=5))
    await confirm(world, key="later", seats=seats(total=12), timing="AT_RENEWAL")
    customer = (await world.ask(IDS))["customer"]
    event = customer["seatEvents"]["edges"][0]["node"]
    return {
        "Customer": customer["id"],
        "Subscription": customer["subscription"]["id"],
        "ScheduledChange": customer["subscription"]["scheduledChanges"][0]["id"],
        "SeatEvent": event["id"],
        "InvoiceLine": event["invoiceLines"][0]["id"],
        "Invoice": customer["invoices"]["edges"][0]["node"]["id"],
        "CreditNote": customer["creditNotes"]["edges"][0]["node"]["id"],
    }


async def test_the_customer_is_that_of_the_member(world: World) -> None:
    """Two members of two customers ask the same and see their own."""
    text = "{ customer { reference name currency timeZone locale } }"

    acme = (await world.ask(text))["customer"]
    globex = (await world.ask(text, customer=world.globex))["customer"]

    assert acme == {
        "reference": "acme", "name": "Acme", "currency": "USD",
        "timeZone": "America/New_York", "locale": "en-US",
    }  # fmt: skip
    assert (globex["reference"], globex["currency"], globex["locale"]) == ("globex", "EUR", "de-DE")


async def test_amounts_are_written_in_the_customers_locale_unless_asked_otherwise(world: World) -> None:
    """99.00 EUR for a customer in Germany, and for a reader in the United States."""
    text = """
    { customer { subscription { price { baseFee {
      amount here: formatted there: formatted(locale: "en-US")
    } } } } }
    """
    fee = (await world.ask(text, customer=world.globex))["customer"]["subscription"]["price"]["baseFee"]

    assert fee == {"amount": "99.00", "here": "99,00\xa0€", "there": "€99.00"}


async def test_the_subscription_says_what_it_is_and_when_it_renews(world: World) -> None:
    """Team by the month, April, 15 of 15 editors at the renewal; viewers are free and none is committed."""
    overview = await world.ask(operation("overview"))
    subscription = overview["customer"]["subscription"]

    assert (subscription["status"], subscription["plan"]) == ("ACTIVE", {"code": "team", "name": "Team"})
    assert subscription["period"] == {"startsOn": "2026-04-01", "endsOn": "2026-05-01"}
    assert subscription["renewsOn"] == "2026-05-01"
    assert [(s["metric"]["code"], s["committed"], s["atRenewal"]) for s in subscription["seats"]] == [
        ("editor", 15, 15),
        ("viewer", 0, 0),
    ]


async def test_seats_at_renewal_do_not_go_below_those_in_use(world: World) -> None:
    """2 are scheduled, then 6 people sit: 6 it will be."""
    await confirm(world, seats=seats(total=2), timing="AT_RENEWAL")
    await world.store.run(world.acme, record_seats, SYSTEM, SeatReport("editor", total=6))

    data = await world.ask(
        "{ customer { subscription { seats { atRenewal } scheduledChanges { summary } } } }"
    )
    subscription = data["customer"]["subscription"]

    assert subscription["seats"][0]["atRenewal"] == 6
    assert subscription["scheduledChanges"] == [{"summary": "From 1 May 2026: 2 Editor seats instead of 15."}]


async def test_a_plan_change_that_waits_is_said_with_its_interval(world: World) -> None:
    """Another plan and other seats of it, two changes that wait side by side."""
    await world.store.run(world.acme, record_seats, SYSTEM, SeatReport("viewer", total=0))

    done = await confirm(world, planCode="business", seats=seats(total=20), timing="AT_RENEWAL")

    assert [change["summary"] for change in done["scheduledChanges"]] == [
        "From 1 May 2026: Business, billed monthly.",
        "From 1 May 2026: 20 Editor seats instead of 15.",
    ]


async def test_plans_stand_side_by_side_in_the_customers_currency(world: World) -> None:
    """Bank is sold in francs alone and not listed; each of the others says why it cannot be chosen now."""
    plans = (await world.ask(operation("plans")))["plans"]

    assert [(plan["code"], [price["interval"] for price in plan["prices"]]) for plan in plans] == [
        ("team", ["MONTH", "YEAR"]),
        ("business", ["MONTH"]),
        ("solo", ["MONTH"]),
    ]
    availability = {plan["code"]: plan["availability"] for plan in plans}
    assert availability["team"] == {
        "available": False,
        "current": True,
        "reason": "This is the present plan. Its seats and its billing interval can be changed.",
    }
    assert not any(plan["available"] for plan in availability.values())
    assert availability["business"]["reason"].startswith("Business has no Viewer seats")
    assert availability["solo"]["reason"].startswith("Solo allows at most 2 Editor seats")


async def test_a_plan_with_room_is_available(world: World) -> None:
    """Once nobody sits in a viewer's seat, business can be chosen."""
    await world.store.run(world.acme, record_seats, SYSTEM, SeatReport("viewer", total=0))

    plans = (await world.ask(operation("plans")))["plans"]

    assert plans[1]["availability"] == {"available": True, "current": False, "reason": None}


async def test_a_price_says_its_tiers_and_its_policy_in_words_too(world: World) -> None:
    """Business is graduated, begins with 3 and lets decreases wait; team includes 5."""
    team, business, _ = (await world.ask(operation("plans")))["plans"]

    editor = business["prices"][0]["seats"][0]
    assert (editor["model"], editor["minimum"], editor["maximum"]) == ("GRADUATED", 3, None)
    assert editor["tiers"] == [
        {"upTo": 10, "unitAmount": "30.00", "flatAmount": "0.00"},
        {"upTo": None, "unitAmount": "25.00", "flatAmount": "40.00"},
    ]
    assert editor["summary"] == (
        "Each seat by the tier it falls into, a month: up to 10: 30.00 USD each; "
        "above: 25.00 USD each and 40.00 USD; at least 3 billed."
    )
    assert business["prices"][0]["policy"] == {
        "increaseModes": ["PRORATED_IMMEDIATELY"],
        "decreaseModes": ["DO_NOT_BILL"],
        "increaseTiming": "NOW",
        "decreaseTiming": "AT_RENEWAL",
        "summary": "An increase is charged at once for the days that are left. "
        "A decrease waits for the renewal.",
    }
    assert team["prices"][0]["seats"][0]["summary"] == (
        "5 included, then 15.00 USD a month for each further seat."
    )


@pytest.mark.parametrize("role", list(Role))
async def test_permissions_are_those_of_the_one_table(world: World, role: Role) -> None:
    """Each field is allowed exactly where the table of billing says so, else it has a reason."""
    viewer = (await world.ask(operation("viewer"), role=role))["viewer"]

    fields = {
        "previewChangePlan": Permission.PREVIEW_CHANGE,
        "changePlan": Permission.CHANGE_PLAN,
        "cancelScheduledChange": Permission.CANCEL_SCHEDULED_CHANGE,
        "previewCancelSubscription": Permission.PREVIEW_CHANGE,
        "cancelSubscription": Permission.CANCEL_SUBSCRIPTION,
        "previewResumeSubscription": Permission.PREVIEW_CHANGE,
        "resumeSubscription": Permission.RESUME_SUBSCRIPTION,
        "assignSeat": Permission.ASSIGN_SEAT,
        "releaseSeat": Permission.RELEASE_SEAT,
        "seeMoney": Permission.SEE_MONEY,
    }
    assert set(fields.values()) == set(Permission)
    assert viewer["role"] == role.value
    for name, permission in fields.items():
        allowed = role in GRANTS[permission]
        assert viewer["permissions"][name]["allowed"] is allowed
        assert (viewer["permissions"][name]["reason"] is None) is allowed


async def test_every_id_leads_back_to_what_bears_it(world: World) -> None:
    """One of each of the seven kinds."""
    text = "query ($id: ID!) { node(id: $id) { __typename id } }"
    for kind, id in (await ids_of(world)).items():
        assert (await world.ask(text, id=id))["node"] == {"__typename": kind, "id": id}


async def test_somebody_elses_ids_lead_nowhere(world: World) -> None:
    """The same answer as for ids that nothing has, that are malformed, or that bear another prefix."""
    found = await ids_of(world)
    strange = [encode(kind, new_id(world.clock.now)) for kind in Kind]
    malformed = [
        "",
        "x",
        "inv_",
        "inv_" + "z" * 26,
        found["Invoice"].replace("inv", "crn"),
        found["Invoice"].upper(),
    ]
    text = """
    query ($id: ID!) { node(id: $id) { id } invoice(id: $id) { id } creditNote(id: $id) { id } }
    """

    answers: list[dict[str, Any]] = [
        await world.ask(text, customer=world.globex, id=id) for id in (*found.values(), *strange)
    ]
    answers += [await world.ask(text, id=id) for id in malformed]

    assert answers == [{"node": None, "invoice": None, "creditNote": None}] * len(answers)


async def test_a_subscription_that_will_end_does_not_renew(world: World) -> None:
    """A cancel waits: no day of renewal, no seats then, nothing upcoming, and the change says so."""
    await world.store.run(world.acme, end_with_the_period, world.subscription)
    data = await world.ask(operation("overview"))
    subscription = data["customer"]["subscription"]

    assert subscription["renewsOn"] is None
    assert [s["atRenewal"] for s in subscription["seats"]] == [0, 0]
    assert [change["summary"] for change in subscription["scheduledChanges"]] == ["Ends on 1 May 2026."]
    assert data["customer"]["upcomingInvoice"] is None


async def test_an_ended_subscription_is_still_shown(world: World) -> None:
    """After its end: ENDED, no renewal, nothing to come; its plan is still told."""
    await world.store.run(world.acme, end_with_the_period, world.subscription)
    world.clock.advance(timedelta(days=20))
    await confirm(world, seats=seats(add=1))

    subscription = (await world.ask(operation("overview")))["customer"]["subscription"]

    assert (subscription["status"], subscription["renewsOn"]) == ("ENDED", None)
    assert [s["atRenewal"] for s in subscription["seats"]] == [0, 0]


async def test_a_customer_without_a_subscription_sees_plans_and_nothing_else(world: World) -> None:
    """No subscription, no balances, nothing upcoming; every plan sold in its currency is available."""
    newcomer = new_id(world.clock.now)
    new = NewCustomer("newcomer", "Newcomer", "EUR", "Europe/Berlin")
    await world.store.run(newcomer, register_customer, SYSTEM, new)

    customer = (await world.ask(operation("overview"), customer=newcomer))["customer"]
    (team,) = (await world.ask(operation("plans"), customer=newcomer))["plans"]

    assert (customer["subscription"], customer["upcomingInvoice"]) == (None, None)
    assert (customer["seatBalances"], customer["invoices"]["edges"]) == ([], [])
    assert customer["billingDetails"]["missing"] == ["legal name", "street address", "city", "country"]
    assert team["availability"] == {"available": True, "current": False, "reason": None}


async def test_a_plan_that_left_the_catalog_is_still_the_plan_one_has(world: World) -> None:
    """A new catalog without team and without viewers: the plan keeps name and price, and is sold no more; the
    viewer's seats are called by their code.
    """

    def apply(tx: DeploymentTx) -> None:
        old = catalogs.current(tx)
        plans = tuple(plan for plan in old.plans if plan.code != "team")
        catalogs.save(tx, replace(old, id=tx.new_id(), plans=plans, metrics=old.metrics[:1]), ())

    await world.store.deployment(apply)
    text = """
    { customer {
      subscription {
        plan { code name description prices { interval } availability { available current reason } }
        price { interval baseFee { amount } }
      }
      seatEvents(first: 1, metric: "viewer") { edges { node { metric { label } } } }
    } }
    """
    customer = (await world.ask(text))["customer"]

    assert customer["subscription"] == {
        "plan": {
            "code": "team",
            "name": "Team",
            "description": "",
            "prices": [],
            "availability": {"available": False, "current": True, "reason": "Team is not sold any more."},
        },
        "price": {"interval": "MONTH", "baseFee": {"amount": "99.00"}},
    }
    assert customer["seatEvents"]["edges"][0]["node"]["metric"]["label"] == "viewer"
