"""The turns of a life with their numbers: cancelled at the renewal and now, kept, paused and resumed."""

from dataclasses import replace

from app.billing.changes import Quote
from app.billing.documents import DocumentKind
from app.billing.ledger import EventSource
from app.billing.periods import BillingInterval, Granularity, Period
from app.billing.plans import ChangeTiming, ChargingBasis, Item, PlanPrice, ProrationMode
from app.billing.refusals import BillingDetailsMissing, ProrationModeNotAllowed
from app.billing.renewals import due_at, renewal
from app.billing.state import State
from app.billing.subscriptions import (
    CancelAtRenewal,
    PlanAtRenewal,
    SeatsAtRenewal,
    SubscriptionStatus,
)
from app.billing.turns import Turn, TurnKind, decide_turn
from tests.billing.playing import amounts, brought_up, changed, formulas, in_use, paid, turn, turned
from tests.builders import (
    EDITOR,
    VAT,
    VIEWER,
    ask,
    direction,
    instant,
    money,
    plan_price,
    seat_price,
    started,
)

NOW, AT_RENEWAL = ChangeTiming.NOW, ChangeTiming.AT_RENEWAL
CANCEL, CANCEL_NOW = Turn(TurnKind.CANCEL), Turn(TurnKind.CANCEL, NOW)
PAUSE, RESUME = Turn(TurnKind.PAUSE), Turn(TurnKind.RESUME)
LATER = ProrationMode.PRORATED_ON_NEXT_INVOICE


def with_decrease(*modes: ProrationMode, timing: ChangeTiming = NOW) -> PlanPrice:
    """10.00 a seat, and what a decrease may be."""
    return plan_price(decrease=direction(*modes, timing=timing))


# ── Cancel ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_end_without_a_timing_waits_for_the_renewal() -> None:
    """Nobody ends at once by leaving something out: nothing is billed, nothing is given back, nothing renews;
    in May it is over, and the seats are given up.
    """
    quote = turn(started(), CANCEL, "2026-04-16")
    state = turned(started(), CANCEL, "2026-04-16")
    over = brought_up(state, "2026-05-01")

    assert (quote.timing, quote.mode, quote.lines) == (AT_RENEWAL, ProrationMode.DO_NOT_BILL, ())
    assert (quote.at_renewal, quote.renews_at, quote.credit_added) == (None, None, money("0.00"))
    assert [waiting.change for waiting in state.scheduled] == [CancelAtRenewal()]
    assert state.subscription.status is SubscriptionStatus.ACTIVE
    assert (over.subscription.status, over.level(EDITOR).committed) == (SubscriptionStatus.ENDED, 0)
    assert over.subscription.period == Period(instant("2026-04-01"), instant("2026-05-01"), "UTC")


def test_an_end_now_credits_the_unused_days() -> None:
    """10 seats paid for April, 15 of 30 days unused: 50.00 come back, and the subscription is over today."""
    quote = turn(paid(started()), CANCEL_NOW, "2026-04-16 14:00")
    over = turned(paid(started()), CANCEL_NOW, "2026-04-16 14:00")

    assert formulas(quote) == ["−10 seats × 10.00 USD × 15/30 days"]
    assert (quote.due_now.total, quote.credit_added) == (money("-50.00"), money("50.00"))
    assert [draft.kind for draft in quote.posting.drafts] == [DocumentKind.CREDIT_NOTE]
    assert (quote.mode, quote.renews_at) == (ProrationMode.PRORATED_IMMEDIATELY, None)
    assert (over.subscription.status, over.credit) == (SubscriptionStatus.ENDED, money("50.00"))
    assert over.subscription.period.end == instant("2026-04-16")
    assert (over.level(EDITOR).committed, due_at(over)) == (0, None)
    (event,) = quote.posting.events
    assert (event.removed, event.source, event.effective_at) == (
        10, EventSource.CHANGE, instant("2026-04-16 14:00"),
    )  # fmt: skip


def test_a_credit_first_settles_the_open_invoice() -> None:
    """100.00 of April are not paid: 50.00 of them need not be any more, and no credit is left over."""
    quote = turn(started(), CANCEL_NOW, "2026-04-16")
    (draft,) = quote.posting.drafts

    assert [amount for _, amount in draft.reduces] == [money("50.00")]
    assert quote.credit_added == money("0.00")


def test_an_end_now_bears_the_tax_of_what_it_reverses() -> None:
    """50.00 and 19 % of it: 59.50."""
    assert turn(started(taxes=VAT), CANCEL_NOW, "2026-04-16").due_now.total == money("-59.50")


def test_an_end_now_without_a_credit_where_a_decrease_gives_none() -> None:
    """The plan's usual decrease gives nothing back: neither does the end, and no document is made."""
    for mode in (ProrationMode.DO_NOT_BILL, ProrationMode.FULL_IMMEDIATELY):
        quote = turn(started(with_decrease(mode)), CANCEL_NOW, "2026-04-16")

        assert (quote.lines, quote.posting.drafts, quote.mode) == ((), (), ProrationMode.DO_NOT_BILL)
        assert quote.posting.subscription.status is SubscriptionStatus.ENDED


def test_an_end_now_gives_back_no_more_than_the_unused_time() -> None:
    """A plan that credits the full difference for fewer seats credits 1/30 on the last day, not all."""
    quote = turn(started(with_decrease(ProrationMode.DIFFERENCE_IMMEDIATELY)), CANCEL_NOW, "2026-04-30")

    assert amounts(quote) == ["-3.33"]


def test_the_final_document_holds_what_waits() -> None:
    """5 seats that wait with 25.00, and 15 paid or billed seats unused for half of April: the lines net."""
    state = changed(started(), ask(editor=15, mode=LATER), "2026-04-16")
    quote = turn(state, CANCEL_NOW, "2026-04-16")

    assert amounts(quote) == ["25.00", "-25.00", "-50.00"]
    assert len(quote.posting.drafts) == 1
    assert turned(state, CANCEL_NOW, "2026-04-16").waiting == ()


def test_an_end_now_is_up_to_the_plan() -> None:
    """Where a decrease waits for the renewal, so does the end."""
    state = started(with_decrease(timing=AT_RENEWAL))
    refusal = decide_turn(state, CANCEL_NOW, instant("2026-04-16"))

    assert isinstance(refusal, ProrationModeNotAllowed)
    assert refusal.allowed_timings == (AT_RENEWAL,)
    assert turn(state, CANCEL, "2026-04-16").timing is AT_RENEWAL


def test_changes_that_wait_are_dropped_by_the_end() -> None:
    """Eight editors and an end wait: ended now, the editors' change is dropped, as one that turned out
    impossible; kept, it waits on.
    """
    state = changed(started(), ask(editor=8, timing=AT_RENEWAL), "2026-04-10")
    state = turned(state, CANCEL, "2026-04-11")
    now = turn(state, CANCEL_NOW, "2026-04-16").posting
    kept = turned(state, RESUME, "2026-04-16")

    assert now.settled == state.scheduled
    assert [dropped.change for dropped in now.dropped] == [SeatsAtRenewal(EDITOR, 8)]
    assert [waiting.change for waiting in kept.scheduled] == [SeatsAtRenewal(EDITOR, 8)]


def test_keeping_a_subscription_forecasts_its_renewal() -> None:
    """Taken back on the 20th: nothing is billed, and 100.00 are due on 1 May as if nothing had been said."""
    quote = turn(turned(started(), CANCEL, "2026-04-16"), RESUME, "2026-04-20")

    assert (quote.lines, quote.posting.drafts) == ((), ())
    assert quote.at_renewal is not None
    assert (quote.at_renewal.total, quote.renews_at) == (money("100.00"), instant("2026-05-01"))


def test_an_end_needs_billing_details_only_for_a_document() -> None:
    """Without them a credit note cannot be made; an end with the period is always possible."""
    state = started()
    state = replace(state, buyer=replace(state.buyer, missing=("country",)))

    assert decide_turn(state, CANCEL_NOW, instant("2026-04-16")) == BillingDetailsMissing(("country",))
    assert isinstance(decide_turn(state, CANCEL, instant("2026-04-16")), Quote)


# ── Pause and resume ────────────────────────────────────────────────────────────────────────────────────────


def test_a_pause_credits_the_unused_days_and_nothing_is_due() -> None:
    """Paused on the 16th, whatever a decrease would give: 50.00 come back, 10 seats stay committed, and no
    month brings anything.
    """
    state = paid(started(with_decrease(ProrationMode.DO_NOT_BILL, timing=AT_RENEWAL)))
    quote = turn(state, PAUSE, "2026-04-16")
    pausing = turned(state, PAUSE, "2026-04-16")

    assert formulas(quote) == ["−10 seats × 10.00 USD × 15/30 days"]
    assert (quote.at_renewal, quote.renews_at, quote.posting.events) == (None, None, ())
    assert pausing.subscription.status is SubscriptionStatus.PAUSED
    assert pausing.subscription.period == Period(instant("2026-04-01"), instant("2026-04-16"), "UTC")
    assert (due_at(pausing), pausing.level(EDITOR).committed) == (None, 10)
    assert brought_up(pausing, "2027-04-16") == pausing


def test_resuming_starts_a_new_period_with_a_new_anchor() -> None:
    """Paused on 16 April, resumed on 10 June at noon: 100.00 for 10 June to 10 July, of which the 50.00 of
    the pause pay half; the next on 10 July.
    """
    state = turned(paid(started()), PAUSE, "2026-04-16")
    quote = turn(state, RESUME, "2026-06-10 12:00")
    going = turned(state, RESUME, "2026-06-10 12:00")

    assert (quote.mode, formulas(quote)) == (ProrationMode.FULL_IMMEDIATELY, ["10 seats × 10.00 USD"])
    assert (quote.due_now.credit_applied, quote.due_now.amount_due) == (money("50.00"), money("50.00"))
    assert quote.at_renewal is not None
    assert (quote.at_renewal.total, quote.renews_at) == (money("100.00"), instant("2026-07-10"))
    assert going.subscription.status is SubscriptionStatus.ACTIVE
    assert going.subscription.period == Period(instant("2026-06-10"), instant("2026-07-10"), "UTC")
    assert going.subscription.anchor.day == 10


def test_changes_that_wait_come_with_the_period_after_the_pause() -> None:
    """Pro with 8 editors waited for May; the subscription is resumed in June and starts so: 8 × 20.00."""
    pro = plan_price(seat_price("20.00"), plan="pro")
    state = changed(started(plan_price(), pro), ask(plan="pro", editor=8, timing=AT_RENEWAL), "2026-04-10")
    state = turned(state, PAUSE, "2026-04-16")
    quote = turn(state, RESUME, "2026-06-10")

    assert [waiting.change for waiting in state.scheduled] == [
        PlanAtRenewal("pro", BillingInterval.MONTH), SeatsAtRenewal(EDITOR, 8),
    ]  # fmt: skip
    assert formulas(quote) == ["8 seats × 20.00 USD"]
    assert (quote.posting.price, quote.posting.settled) == (pro, state.scheduled)


def test_a_pause_of_a_day_loses_nothing_and_gains_nothing() -> None:
    """Paused and resumed on one day: the rest of April comes back, and a month from today is paid."""
    state = turned(paid(started()), PAUSE, "2026-04-16 09:00")
    going = turned(state, RESUME, "2026-04-16 18:00")

    assert going.subscription.period == Period(instant("2026-04-16"), instant("2026-05-16"), "UTC")
    assert state.subscription.period.end == going.subscription.period.start


def test_a_pause_on_the_first_day_takes_everything_back() -> None:
    """Renewed and paused on 1 May: 100.00 come back to the cent, and the period is empty."""
    state = brought_up(paid(started()), "2026-05-01")
    quote = turn(state, PAUSE, "2026-05-01 10:00")

    assert amounts(quote) == ["-100.00"]
    assert quote.posting.subscription.period.length(Granularity.DAY) == 0


def test_by_the_second_a_pause_starts_and_ends_at_its_instants() -> None:
    """Paused at noon of the 16th, half of a second-counted April is unused and half a day more; resumed the
    same evening, the new period begins where the old one stopped.
    """
    state = paid(started(plan_price(granularity=Granularity.SECOND)))
    pausing = turned(state, PAUSE, "2026-04-16 12:00")
    going = turned(pausing, RESUME, "2026-04-16 12:00")

    assert pausing.subscription.period.end == instant("2026-04-16 12:00")
    assert going.subscription.period.start == instant("2026-04-16 12:00")
    assert going.subscription.period.end == instant("2026-05-16")


def test_a_paused_subscription_is_ended_without_another_credit() -> None:
    """What was unused came back with the pause; the end in June makes no document and gives the seats up."""
    state = turned(paid(started()), PAUSE, "2026-04-16")
    quote = turn(state, CANCEL, "2026-06-10")

    assert (quote.timing, quote.lines, quote.posting.drafts) == (NOW, (), ())
    assert quote.posting.subscription.status is SubscriptionStatus.ENDED
    assert quote.posting.subscription.period.end == instant("2026-04-16")
    assert [event.removed for event in quote.posting.events] == [10]


def test_seats_in_use_raise_a_removal_that_waited_through_a_pause() -> None:
    """Down to 5 waited, and 7 people kept their seats: resumed with 7."""
    state = changed(started(), ask(editor=5, timing=AT_RENEWAL), "2026-04-10")
    state = in_use(turned(state, PAUSE, "2026-04-16"), EDITOR, 7)

    assert formulas(turn(state, RESUME, "2026-06-10")) == ["7 seats × 10.00 USD"]


def test_the_seats_of_every_metric_are_given_up() -> None:
    """Editors and viewers go with the end, each by an event of its own; what is not committed has none."""
    both = plan_price(seat_price(), seat_price("4.00", VIEWER), seat_price("1.00", "guest"))
    quote = turn(started(both, viewer=5), CANCEL_NOW, "2026-04-16")

    assert {event.metric: event.removed for event in quote.posting.events} == {EDITOR: 10, VIEWER: 5}
    assert Item("guest") not in {event.metric for event in quote.posting.events}


# ── What is billed after its use ────────────────────────────────────────────────────────────────────────────

PEAK = plan_price(replace(seat_price(), basis=ChargingBasis.PEAK))


def using(state: State, count: int = 12) -> State:
    """So many seats in use all the time."""
    return in_use(state, EDITOR, count)


def test_the_final_document_bills_the_use_until_the_end() -> None:
    """12 seats at most from 1 to 15 April: 12 × 10.00 × 15/30 = 60.00; the day of the end is not used."""
    quote = turn(using(started(PEAK)), CANCEL_NOW, "2026-04-16 14:00")

    assert formulas(quote) == ["12 seats × 10.00 USD × 15/30 days"]
    assert quote.due_now.total == money("60.00")
    assert due_at(turned(using(started(PEAK)), CANCEL_NOW, "2026-04-16 14:00")) is None


def test_a_pause_bills_the_use_before_it_and_none_in_it() -> None:
    """60.00 with the pause on 16 April; resumed on 10 June nothing, and 120.00 for the month from then on."""
    state = using(started(PEAK))
    quote = turn(state, PAUSE, "2026-04-16")
    pausing = turned(state, PAUSE, "2026-04-16")
    resumed = turn(pausing, RESUME, "2026-06-10")
    later = renewal(turned(pausing, RESUME, "2026-06-10"))

    assert (amounts(quote), amounts(resumed)) == (["60.00"], [])
    assert resumed.at_renewal is not None
    assert resumed.at_renewal.total == money("120.00")
    assert [(line.formula, line.period.first_day.day) for line in later.lines] == [
        ("12 seats × 10.00 USD", 10)
    ]
