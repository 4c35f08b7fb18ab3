"""What a request means, and every no to one, with its numbers and its message."""

from dataclasses import replace
from uuid import UUID

import pytest

from app.billing.changes import ChangeRefusal, Quote, decide
from app.billing.ledger import Holder
from app.billing.periods import BillingInterval
from app.billing.plans import ChangeTiming, ChargingBasis, Item, ProrationMode, SeatMetric
from app.billing.refusals import (
    AboveMaximum,
    BelowMinimum,
    BillingDetailsMissing,
    InvalidInput,
    NothingToChange,
    PlanNotAvailable,
    Problem,
    SeatsInUse,
    SubscriptionNotActive,
)
from app.billing.requests import ChangeRequest, SeatQuantity
from app.billing.state import Occupied, State
from app.billing.subscriptions import ScheduledChange, SeatsAtRenewal, SubscriptionStatus
from tests.billing.agreements import agreed, with_overrides
from tests.billing.playing import in_use, quoted
from tests.builders import EDITOR, VIEWER, ask, instant, plan_price, seat_price, started

PRO = plan_price(seat_price("20.00", maximum=50), plan="pro")
UNBILLED = ProrationMode.DO_NOT_BILL


def refused(state: State, request: ChangeRequest) -> ChangeRefusal:
    """The refusal of a change half way."""
    refusal = decide(state, request, instant("2026-04-16"))
    assert not isinstance(refusal, Quote)
    return refusal


@pytest.mark.parametrize(
    ("quantity", "total"),
    [
        (SeatQuantity(EDITOR, total=3), 3),
        (SeatQuantity(EDITOR, add=3), 13),
        (SeatQuantity(EDITOR, remove=3), 7),
    ],
)
def test_a_quantity_is_a_total_or_a_number_to_add_or_remove(quantity: SeatQuantity, total: int) -> None:
    """Of 10 committed seats: a total of 3, 3 more are 13, 3 fewer are 7."""
    assert quantity.resolved(10) == total
    assert [
        e.net for e in quoted(started(), ChangeRequest(seats=(quantity,)), "2026-04-16").posting.events
    ] == [total - 10]


def test_a_metric_that_is_not_named_stays_as_it_is() -> None:
    """Five viewers stay five viewers when editors are added."""
    state = started(plan_price(seat_price(), seat_price("4.00", VIEWER)), viewer=5)

    assert {event.metric for event in quoted(state, ask(editor=11), "2026-04-16").posting.events} == {EDITOR}


@pytest.mark.parametrize(
    ("seats", "path", "message"),
    [
        ({"total": -1}, "total", "total must be from 0 to 100000, not -1."),
        ({"total": 100_001}, "total", "total must be from 0 to 100000, not 100001."),
        ({"add": 0}, "add", "add must be from 1 to 100000, not 0."),
        ({"remove": -5}, "remove", "remove must be from 1 to 100000, not -5."),
        ({"remove": 11}, "remove", "11 cannot be removed: 10 are committed."),
        ({"add": 99_991}, "add", "100001 would be more than 100000 seats."),
    ],
)
def test_absurd_quantities_are_refused(seats: dict[str, int], path: str, message: str) -> None:
    """A quantity has bounds, and what is removed must be there."""
    refusal = refused(started(), ChangeRequest(seats=(SeatQuantity(EDITOR, **seats),)))

    assert refusal == InvalidInput((Problem(f"input.seats[0].quantity.{path}", message),))


@pytest.mark.parametrize("seats", [{"total": 100_000}, {"add": 99_990}])
def test_a_hundred_thousand_seats_are_no_absurd_quantity(seats: dict[str, int]) -> None:
    """It is the most that can be asked for, as a total or in addition to ten."""
    quote = quoted(started(), ChangeRequest(seats=(SeatQuantity(EDITOR, **seats),)), "2026-04-16")

    assert [event.net for event in quote.posting.events] == [99_990]


def test_all_problems_are_listed_at_once() -> None:
    """An unknown metric, the base fee, and a metric named twice: three problems with their places."""
    asked = (
        SeatQuantity("guest", total=1),
        SeatQuantity("base_fee", total=2),
        SeatQuantity(EDITOR, total=5),
        SeatQuantity(EDITOR, add=1),
    )
    refusal = refused(started(), ChangeRequest(seats=asked))

    assert isinstance(refusal, InvalidInput)
    assert [problem.path for problem in refusal.problems] == [f"input.seats[{i}].metric" for i in (0, 1, 3)]
    assert refusal.message == (
        "Team has no seats called 'guest'. It has: editor. "
        "Team has no seats called 'base_fee'. It has: editor. "
        "'editor' is named twice. Name each kind of seat once."
    )


def test_seats_that_are_billed_by_use_are_not_ordered() -> None:
    """That is one problem; another one behind it is listed too, with all metrics of the plan."""
    by_use = replace(seat_price("4.00", VIEWER), basis=ChargingBasis.PEAK)
    asked = SeatQuantity(VIEWER, total=1), SeatQuantity("guest", total=1)

    assert refused(started(plan_price(seat_price(), by_use)), ChangeRequest(seats=asked)) == InvalidInput(
        (
            Problem("input.seats[0].metric", "viewer seats are billed as they are used; none are ordered."),
            Problem("input.seats[1].metric", "Team has no seats called 'guest'. It has: editor, viewer."),
        )
    )


def test_seats_are_those_of_the_wanted_plan() -> None:
    """Viewers exist on the present plan only; asked for together with Pro they are a problem."""
    state = started(plan_price(seat_price(), seat_price("4.00", VIEWER)), PRO, viewer=5)
    refusal = refused(state, ask(plan="pro", viewer=3))

    assert isinstance(refusal, InvalidInput)
    assert refusal.message == "Pro has no seats called 'viewer'. It has: editor."


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (ask(plan="gold"), "There is no plan 'gold' on offer. Choose one of: team, pro."),
        (
            ask(plan="pro", interval=BillingInterval.YEAR),
            "Pro is not sold by the YEAR in USD. In USD there is: MONTH.",
        ),
        (
            ask(interval=BillingInterval.YEAR),
            "Team is not sold by the YEAR in USD. In USD there is: MONTH, QUARTER.",
        ),
    ],
)
def test_a_plan_that_cannot_be_had(request_: ChangeRequest, message: str) -> None:
    """Unknown, or not sold at the interval: the refusal says what there is."""
    quarter = plan_price(interval=BillingInterval.QUARTER)
    refusal = refused(started(plan_price(), quarter, PRO), request_)

    assert refusal == PlanNotAvailable(request_.plan or "team", message)


def test_a_plan_in_another_currency_cannot_be_had() -> None:
    """A customer pays in one currency; a plan that is sold in euros only is sold for nothing in dollars."""
    refusal = refused(started(plan_price(), plan_price(plan="euro", currency="EUR")), ask(plan="euro"))

    assert refusal == PlanNotAvailable(
        "euro", "Euro is not sold by the MONTH in USD. In USD there is: nothing."
    )


def test_a_subscription_keeps_its_price_when_the_catalog_moves_on() -> None:
    """The present plan and interval mean the present version, also if a newer one is on offer."""
    newer = plan_price(seat_price("12.00"))
    state = replace(started(), plans=started(newer).plans)

    assert quoted(state, ask(plan="team", editor=11), "2026-04-16").posting.price == state.price


@pytest.mark.parametrize(
    "request_", [ask(), ask(plan="team"), ask(interval=BillingInterval.MONTH), ask(editor=10)]
)
def test_a_change_to_what_is_changes_nothing(request_: ChangeRequest) -> None:
    """Nothing asked, or what is asked is so already: there is nothing to quote."""
    refusal = refused(started(), request_)

    assert refusal == NothingToChange()
    assert refusal.message == "Plan, interval and seats are already as asked. Ask for something else."


def test_an_ended_subscription_cannot_be_changed() -> None:
    """The status is checked first, before anything of the request."""
    state = started()
    refusal = refused(replace(state, subscription=state.subscription.ended()), ask(plan="gold"))

    assert refusal == SubscriptionNotActive(SubscriptionStatus.ENDED)
    assert refusal.message == "The subscription is ended; it cannot be changed. Ask the seller for a new one."


def test_below_the_minimum() -> None:
    """A plan for at least 5 editors cannot have 4."""
    state = started(plan_price(seat_price(minimum=5)))
    refusal = refused(state, ask(editor=4))

    assert refusal == BelowMinimum(state.price.seats[0].metric, 5, 4)
    assert refusal.message == "The plan needs at least 5 editor seats; 4 were asked for."
    assert isinstance(decide(state, ask(editor=5), instant("2026-04-16")), Quote)


def test_above_the_maximum() -> None:
    """A plan for at most 50 editors cannot have 51, asked for or brought along."""
    state = started(plan_price(), PRO, editor=51)
    asked, brought = refused(started(PRO), ask(editor=51)), refused(state, ask(plan="pro"))

    assert asked == brought == AboveMaximum(PRO.seats[0].metric, 50, 51)
    assert asked.message == "The plan allows at most 50 editor seats; 51 were asked for."
    assert isinstance(decide(state, ask(plan="pro", editor=50), instant("2026-04-16")), Quote)


def test_never_below_the_seats_in_use() -> None:
    """8 of 10 seats are in use: 7 are refused with the holders' names, 8 are not."""
    holders = (Holder("u1", "Ada"), Holder("u2", "Grace"))
    state = replace(in_use(started(), EDITOR, 8), occupied={EDITOR: Occupied(holders, 8)})
    refusal = refused(state, ask(editor=7))

    assert refusal == SeatsInUse(state.price.seats[0].metric, 8, 7, 7, holders, 8)
    assert refusal.message == (
        "8 editor seats are in use, and 7 would be left. Release 1 seat first, or keep more."
    )
    assert isinstance(decide(state, ask(editor=8), instant("2026-04-16")), Quote)


@pytest.mark.parametrize("timing", list(ChangeTiming))
def test_seats_in_use_are_guarded_now_and_at_the_renewal(timing: ChangeTiming) -> None:
    """A removal that waits is guarded by what is in use today as well."""
    assert isinstance(refused(in_use(started(), EDITOR, 8), ask(editor=7, timing=timing)), SeatsInUse)


def test_included_and_granted_seats_are_room_for_people() -> None:
    """With 5 included and 2 granted, 7 people fit however few seats are committed; an eighth does not."""
    price = plan_price(seat_price(included=5))

    quoted(in_use(started(price), EDITOR, 7, granted=2), ask(editor=0), "2026-04-16")
    refusal = refused(in_use(started(price), EDITOR, 8, granted=2), ask(editor=1))
    assert isinstance(refusal, SeatsInUse)
    assert (refusal.in_use, refusal.requested, refusal.limit) == (8, 1, 7)
    assert refusal.message == (
        "8 editor seats are in use, and 7 would be left, included and granted ones counted. "
        "Release 1 seat first, or keep more."
    )


def test_too_many_in_use_already_may_still_grow() -> None:
    """12 in use of 10: 11 is a step in the right direction, 9 is not."""
    state = in_use(started(), EDITOR, 12)

    quoted(state, ask(editor=11), "2026-04-16")
    assert isinstance(refused(state, ask(editor=9)), SeatsInUse)


def test_too_many_in_use_already_are_no_reason_to_keep_what_gives_no_room() -> None:
    """12 seats are included and 14 in use: 8 ordered ones leave as much room as 10 did."""
    state = in_use(started(plan_price(seat_price(included=12))), EDITOR, 14)

    quoted(state, ask(editor=8), "2026-04-16")


def test_seats_that_are_not_asked_for_are_not_looked_at() -> None:
    """At most 8 editors have been agreed on while there are 10: viewers can be added all the same."""
    state = started(plan_price(seat_price(), seat_price("4.00", VIEWER)))

    quoted(with_overrides(state, agreed(maximum=8)), ask(viewer=1), "2026-04-16")


def test_seats_are_called_as_the_plan_calls_them_that_has_them() -> None:
    """Pro has editors by another name, and no viewers: their name is that of the present plan."""
    looker = replace(seat_price("4.00", VIEWER), metric=SeatMetric(VIEWER, "read-only"))
    writer = replace(seat_price("20.00", maximum=50), metric=SeatMetric(EDITOR, "writer"))
    state = started(plan_price(seat_price(), looker), plan_price(writer, plan="pro"), viewer=5)
    refusals = [
        refused(in_use(state, VIEWER, 1), ask(plan="pro")),
        refused(in_use(state, EDITOR, 10), ask(plan="pro", editor=9)),
    ]

    assert [each.metric.label for each in refusals if isinstance(each, SeatsInUse)] == ["read-only", "writer"]


def test_a_plan_without_the_seats_in_use() -> None:
    """One viewer is in use, and Pro has no viewers: release the viewer first."""
    state = in_use(started(plan_price(seat_price(), seat_price("4.00", VIEWER)), PRO, viewer=5), VIEWER, 1)
    refusal = refused(state, ask(plan="pro"))

    assert isinstance(refusal, SeatsInUse)
    assert (refusal.metric.code, refusal.requested, refusal.limit) == (VIEWER, 0, 0)
    assert refusal.message == (
        "1 viewer seat is in use, and none would be left. Release 1 seat first, or keep more."
    )
    assert isinstance(decide(in_use(state, VIEWER, 0), ask(plan="pro"), instant("2026-04-16")), Quote)


def test_seats_in_use_that_no_plan_knows() -> None:
    """Guests of an older plan are still committed and in use: a plan without guests would shut them out."""
    guests = in_use(started(plan_price(), PRO, guest=3), VIEWER, 0)
    refusal = refused(in_use(guests, Item("guest"), 2), ask(plan="pro"))

    assert isinstance(refusal, SeatsInUse)
    assert refusal.metric == SeatMetric(Item("guest"), "guest")
    assert refusal.message == (
        "2 guest seats are in use, and none would be left. Release 2 seats first, or keep more."
    )


def test_granted_seats_that_no_plan_knows_are_room_too() -> None:
    """A guest sits in a granted seat: a plan without guests would shut the person out."""
    guest = in_use(started(plan_price(), PRO), Item("guest"), 1, granted=1)

    assert isinstance(refused(guest, ask(plan="pro")), SeatsInUse)


def test_incomplete_billing_details_refuse_what_would_make_a_document() -> None:
    """Without a city no invoice can be written; what makes none may go on."""
    state = started()
    state = replace(state, buyer=replace(state.buyer, missing=("city", "country")))
    refusal = refused(state, ask(editor=11))

    assert refusal == BillingDetailsMissing(("city", "country"))
    assert refusal.message == "An invoice needs the following billing details first: city, country."
    quoted(state, ask(editor=11, mode=UNBILLED), "2026-04-16")
    quoted(state, ask(editor=11, timing=ChangeTiming.AT_RENEWAL), "2026-04-16")


def test_asking_for_what_is_takes_back_what_was_scheduled() -> None:
    """10 → 8 is scheduled; asking for 10 has no line and no event, and replaces the scheduled change."""
    waiting = ScheduledChange(UUID(int=7), SeatsAtRenewal(EDITOR, 8))
    state = replace(started(), scheduled=(waiting,))
    quote = quoted(state, ask(editor=10), "2026-04-16")

    assert quote.replaces == (waiting,)
    assert (quote.posting.events, quote.posting.lines, quote.posting.drafts) == ((), (), ())
    assert (quote.mode, quote.timing) == (ProrationMode.PRORATED_IMMEDIATELY, ChangeTiming.NOW)
