"""Changes that wait for the renewal: made, replaced, applied, raised, dropped; and how it all ends."""

from dataclasses import replace
from uuid import UUID

import pytest

from app.billing.changes import Quote, decide
from app.billing.ledger import BalanceKind, EventSource
from app.billing.periods import BillingInterval
from app.billing.plans import ChangeTiming, Item, ProrationMode
from app.billing.refusals import NothingToChange
from app.billing.renewals import renewal
from app.billing.state import State
from app.billing.subscriptions import (
    AtRenewal,
    CancelAtRenewal,
    PlanAtRenewal,
    ScheduledChange,
    SeatsAtRenewal,
    SubscriptionStatus,
)
from tests.billing.playing import amounts, brought_up, changed, in_use, quoted
from tests.builders import EDITOR, VIEWER, ask, instant, money, plan_price, seat_price, started

AT_RENEWAL, NOW = ChangeTiming.AT_RENEWAL, ChangeTiming.NOW
LATER = ProrationMode.PRORATED_ON_NEXT_INVOICE
PRO = plan_price(seat_price("20.00", maximum=50), plan="pro")
BOTH = plan_price(seat_price(), seat_price("4.00", VIEWER))


def scheduled(state: State, *changes: AtRenewal) -> State:
    """The state with changes that wait."""
    waiting = tuple(ScheduledChange(UUID(int=100 + i), change) for i, change in enumerate(changes))
    return replace(state, scheduled=waiting)


def waiting_for(state: State) -> list[AtRenewal]:
    return [waiting.change for waiting in state.scheduled]


def test_a_change_that_waits_bills_nothing_and_takes_effect_at_the_renewal() -> None:
    """10 → 8 asked on the 16th: 10 stay until May, then 8 × 10.00 = 80.00."""
    quote = quoted(started(), ask(editor=8, timing=AT_RENEWAL), "2026-04-16")
    state = changed(started(), ask(editor=8, timing=AT_RENEWAL), "2026-04-16")
    renewed = brought_up(state, "2026-05-01")

    assert (amounts(quote), quote.due_now.total) == ([], money("0.00"))
    assert quote.at_renewal is not None
    assert (quote.at_renewal.total, quote.renews_at) == (money("80.00"), instant("2026-05-01"))
    assert (state.level(EDITOR).committed, renewed.level(EDITOR).committed) == (10, 8)
    assert renewed.scheduled == ()
    assert renewed.lines[0].line.amount == money("80.00")


def test_the_event_of_a_scheduled_change_says_where_it_comes_from() -> None:
    """At the renewal two seats are removed, by the scheduled change."""
    posting = renewal(scheduled(started(), SeatsAtRenewal(EDITOR, 8)))
    (event,) = posting.events

    assert (event.metric, event.kind, event.added, event.removed) == (EDITOR, BalanceKind.COMMITTED, 0, 2)
    assert (event.source, event.effective_at) == (EventSource.SCHEDULED_CHANGE, instant("2026-05-01"))
    assert event.note is None
    assert posting.renews


def test_a_newer_change_of_a_metric_replaces_the_one_that_waits_and_says_so() -> None:
    """Scheduled for 8, then for 6: one waits. Adding two now means 12, also from May on."""
    state = changed(started(), ask(editor=8, timing=AT_RENEWAL), "2026-04-10")
    again = changed(state, ask(editor=6, timing=AT_RENEWAL), "2026-04-11")
    quote = quoted(state, ask(editor="+2"), "2026-04-16")

    assert waiting_for(again) == [SeatsAtRenewal(EDITOR, 6)]
    assert quote.replaces == state.scheduled
    assert waiting_for(changed(state, ask(editor="+2"), "2026-04-16")) == []


def test_what_waits_already_is_nothing_to_change() -> None:
    """Scheduled for 8, asked for 8 at the renewal once more: it is so. Asked for 9, it is not."""
    state = changed(started(), ask(editor=8, timing=AT_RENEWAL), "2026-04-10")
    at = instant("2026-04-16")

    assert decide(state, ask(editor=8, timing=AT_RENEWAL), at) == NothingToChange()
    assert isinstance(decide(state, ask(editor=9, timing=AT_RENEWAL), at), Quote)


def test_changes_of_different_targets_wait_side_by_side() -> None:
    """Editors, viewers and the plan have one scheduled change each."""
    state = started(BOTH, plan_price(seat_price("8.00"), seat_price("3.00", VIEWER), plan="pro"), viewer=5)
    state = changed(state, ask(editor=8, timing=AT_RENEWAL), "2026-04-10")
    state = changed(state, ask(viewer=3, timing=AT_RENEWAL), "2026-04-11")
    state = changed(state, ask(plan="pro", timing=AT_RENEWAL), "2026-04-12")
    renewed = brought_up(state, "2026-05-01")

    assert waiting_for(state) == [
        SeatsAtRenewal(EDITOR, 8),
        SeatsAtRenewal(VIEWER, 3),
        PlanAtRenewal("pro", BillingInterval.MONTH),
    ]
    assert [str(b.line.amount.amount) for b in renewed.lines] == ["64.00", "9.00"]


def test_a_plan_that_waits_brings_its_seats_along() -> None:
    """Pro with 12 editors from May: 12 × 20.00 = 240.00."""
    state = changed(started(plan_price(), PRO), ask(plan="pro", editor=12, timing=AT_RENEWAL), "2026-04-16")

    assert waiting_for(state) == [PlanAtRenewal("pro", BillingInterval.MONTH), SeatsAtRenewal(EDITOR, 12)]
    assert brought_up(state, "2026-05-01").lines[0].line.amount == money("240.00")


def test_naming_the_present_plan_takes_back_a_plan_that_waits() -> None:
    """Pro waits; asking for the present plan leaves everything as it is. Seats alone leave it waiting."""
    state = changed(started(plan_price(), PRO), ask(plan="pro", timing=AT_RENEWAL), "2026-04-16")

    assert waiting_for(changed(state, ask(plan="team"), "2026-04-17")) == []
    assert waiting_for(changed(state, ask(editor=11), "2026-04-17")) == waiting_for(state)


def test_another_plan_now_replaces_the_plan_that_waits() -> None:
    """Pro waits and Max is chosen today: at the renewal it is Max."""
    best = plan_price(seat_price("30.00"), plan="max")
    state = changed(started(plan_price(), PRO, best), ask(plan="pro", timing=AT_RENEWAL), "2026-04-16")
    state = changed(state, ask(plan="max"), "2026-04-17")

    assert (state.scheduled, state.price) == ((), best)


def test_a_scheduled_removal_below_the_seats_in_use_is_raised_to_them() -> None:
    """Down to 5 was asked; 8 are in use in May, one of them granted: 7 stay, and the event says why."""
    state = in_use(scheduled(started(), SeatsAtRenewal(EDITOR, 5)), EDITOR, 8, granted=1)
    posting = renewal(state)

    assert posting.dropped == ()
    assert [(event.removed, event.note) for event in posting.events] == [(3, "raised from 5 to 7: 8 in use")]
    assert posting.drafts[0].totals.total == money("70.00")


def test_a_line_says_from_what_it_was_raised() -> None:
    """Down to 5 editors with 8 in use, and down to 3 viewers with none: the editors' line says 5."""
    state = scheduled(started(BOTH, viewer=5), SeatsAtRenewal(EDITOR, 5), SeatsAtRenewal(VIEWER, 3))
    posting = renewal(in_use(state, EDITOR, 8))

    assert [raised.change for raised in posting.raised] == [SeatsAtRenewal(EDITOR, 5)]
    said = {line.item: (line.quantity, line.raised_from) for line in posting.lines}
    assert (said[EDITOR], said[VIEWER]) == ((8, 5), (3, None))


@pytest.mark.parametrize("guests", [0, 3])
def test_seats_that_only_the_next_plan_has_are_not_raised(guests: int) -> None:
    """So many guests wait with a plan that has guests: that many come."""
    guest = Item("guest")
    open_house = plan_price(seat_price(), seat_price("1.00", guest), plan="open")
    state = scheduled(
        started(plan_price(), open_house),
        PlanAtRenewal("open", BillingInterval.MONTH),
        SeatsAtRenewal(guest, guests),
    )
    posting = renewal(state)

    assert (posting.price, posting.raised) == (open_house, ())
    assert [event.net for event in posting.events] == ([guests] if guests else [])


def test_included_seats_are_room_at_the_renewal() -> None:
    """With 8 included, 8 people in use need no committed seat: down to 5 stays 5."""
    state = in_use(started(plan_price(seat_price(included=8))), EDITOR, 8)

    assert brought_up(scheduled(state, SeatsAtRenewal(EDITOR, 5)), "2026-05-01").level(EDITOR).committed == 5


def test_a_removal_that_is_raised_to_what_is_makes_no_event() -> None:
    """Down to 5 with all 10 in use: nothing changes, and the scheduled change is settled."""
    posting = renewal(in_use(scheduled(started(), SeatsAtRenewal(EDITOR, 5)), EDITOR, 10))

    assert (posting.events, posting.dropped, len(posting.settled)) == ((), (), 1)


def test_seats_that_the_next_plan_does_not_have_are_dropped() -> None:
    """Viewers scheduled for 3 and Pro without viewers: the plan comes, the viewers' change is dropped."""
    state = scheduled(
        started(BOTH, PRO, viewer=5), PlanAtRenewal("pro", BillingInterval.MONTH), SeatsAtRenewal(VIEWER, 3)
    )
    posting = renewal(state)

    assert [dropped.change for dropped in posting.dropped] == [SeatsAtRenewal(VIEWER, 3)]
    assert (posting.price, posting.events) == (PRO, ())


def test_seats_above_the_maximum_are_dropped() -> None:
    """60 seats under a plan that has at most 50 by now: they stay as they are."""
    state = scheduled(started(PRO), SeatsAtRenewal(EDITOR, 60))
    posting = renewal(state)

    assert (posting.dropped, posting.events) == (state.scheduled, ())


def test_a_plan_that_is_no_longer_sold_is_dropped_and_the_renewal_goes_on() -> None:
    """Gold vanished, Pro by the year never was: the present plan renews for 100.00."""
    for target in (
        PlanAtRenewal("gold", BillingInterval.MONTH),
        PlanAtRenewal("pro", BillingInterval.YEAR),
    ):
        state = scheduled(started(plan_price(), PRO), target)
        posting = renewal(state)

        assert (posting.dropped, posting.price) == (state.scheduled, state.price)
        assert posting.drafts[0].totals.total == money("100.00")


def test_a_plan_that_has_no_room_is_dropped() -> None:
    """Pro has at most 50 editors and no viewers: 51 editors, or a viewer in use, keep the present plan."""
    state = scheduled(started(BOTH, PRO, editor=51), PlanAtRenewal("pro", BillingInterval.MONTH))
    many, viewers = renewal(state), renewal(in_use(scheduled_pro(editor=10), VIEWER, 1))
    fewer = renewal(scheduled(state, PlanAtRenewal("pro", BillingInterval.MONTH), SeatsAtRenewal(EDITOR, 50)))

    assert (many.price, viewers.price) == (BOTH, BOTH)
    assert (fewer.price, fewer.dropped) == (PRO, ())


def scheduled_pro(*, editor: int) -> State:
    return scheduled(started(BOTH, PRO, editor=editor, viewer=5), PlanAtRenewal("pro", BillingInterval.MONTH))


def test_fewer_seats_than_the_minimum_are_no_obstacle_to_a_plan() -> None:
    """3 editors wait, and so does a plan that bills at least 5: it comes, 3 are committed and 5 billed."""
    large = plan_price(seat_price("20.00", minimum=5), plan="large")
    state = scheduled(
        started(plan_price(), large), SeatsAtRenewal(EDITOR, 3), PlanAtRenewal("large", BillingInterval.MONTH)
    )
    posting = renewal(state)

    assert (posting.price, posting.dropped) == (large, ())
    assert posting.drafts[0].totals.total == money("100.00")


def test_a_plan_whose_included_seats_are_fewer_than_those_in_use_is_dropped() -> None:
    """40 of 50 included seats are in use with 5 committed: a plan that includes none has no room for them."""
    roomy = plan_price(seat_price(included=50))
    state = scheduled(started(roomy, PRO, editor=5), PlanAtRenewal("pro", BillingInterval.MONTH))

    assert renewal(in_use(state, EDITOR, 40)).price == roomy
    assert renewal(in_use(state, EDITOR, 5)).price == PRO


def test_cancelling_at_the_renewal_ends_the_subscription_without_credit() -> None:
    """In May nothing is billed and the subscription has ended; the forecast says that nothing renews."""
    state = scheduled(started(), CancelAtRenewal())
    quote = quoted(state, ask(editor=11), "2026-04-16")
    ended = brought_up(state, "2026-08-01")

    assert (quote.at_renewal, quote.renews_at) == (None, None)
    assert ended.subscription.status is SubscriptionStatus.ENDED
    assert (ended.scheduled, ended.lines) == ((), state.lines)


def test_the_last_document_collects_what_waits() -> None:
    """5 seats that wait with 25.00 are billed when the subscription ends."""
    state = changed(started(), ask(editor=15, mode=LATER), "2026-04-16")
    posting = renewal(scheduled(state, CancelAtRenewal()))

    assert [draft.totals.total for draft in posting.drafts] == [money("25.00")]
    assert posting.subscription.status is SubscriptionStatus.ENDED
    assert posting.renews
