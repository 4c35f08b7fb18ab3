"""What is billed between renewals and after the end: overage inside a year, and what is told late."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from app.billing.arrears import Late, Segment
from app.billing.ledger import BalanceKind, Delta, EventSource
from app.billing.lines import LineKind
from app.billing.periods import BillingInterval, Period
from app.billing.plans import ChangeTiming, ChargingBasis, ProrationMode
from app.billing.renewals import bring_up, due_at, next_due, renewal, start
from app.billing.state import Posting, State
from app.billing.subscriptions import CancelAtRenewal, ScheduledChange, SubscriptionStatus
from app.billing.turns import Turn, TurnKind
from app.billing.usage import Usage
from tests.billing.agreements import agreed, unit, with_overrides
from tests.billing.playing import changed, in_use, turn
from tests.builders import (
    EDITOR,
    VIEWER,
    ask,
    ids,
    instant,
    money,
    plan_price,
    seat_price,
    started,
    tried,
    unstarted,
)

APRIL = Period(instant("2026-04-01"), instant("2026-05-01"), "UTC")
OVER = replace(seat_price("100.00"), basis=ChargingBasis.OVERAGE, overage_amount=Decimal("3.00"))
PEAK = replace(seat_price("10.00", VIEWER), basis=ChargingBasis.PEAK)
YEAR = plan_price(OVER, PEAK, interval=BillingInterval.YEAR)


def overused() -> State:
    """10 editors paid for a year since 1 April, 12 in use; 4 viewers in use."""
    return in_use(in_use(started(YEAR), EDITOR, 12), VIEWER, 4)


def due(state: State, at: str) -> Posting:
    posting = next_due(state, instant(at))
    assert posting is not None
    return posting


def test_overage_of_a_month_is_billed_inside_a_year() -> None:
    """2 editors above the 10 paid, at 3.00 a month: 6.00 on 1 May. The viewers wait for the year to end."""
    posting = due(overused(), "2026-05-01")
    (line,) = posting.lines

    assert (posting.at, line.item, line.kind) == (APRIL.end, EDITOR, LineKind.OVERAGE)
    assert (line.formula, line.amount) == ("2 seats × 3.00 USD", money("6.00"))
    assert [draft.totals.total for draft in posting.drafts] == [money("6.00")]
    assert posting.segments == (Segment(EDITOR, YEAR.id, APRIL, APRIL, APRIL.start, 10),)
    assert posting.subscription.overage_until == APRIL.end
    assert posting.subscription.period == overused().subscription.period


def test_every_month_of_overage_is_billed_once() -> None:
    """Until July three months are over: three documents of 6.00."""
    steps = list(bring_up(overused(), instant("2026-07-15"), ids(overused())))

    assert [step.posting.at for step in steps] == [instant(f"2026-0{month}-01") for month in (5, 6, 7)]
    assert [draft.totals.total for step in steps for draft in step.posting.drafts] == [money("6.00")] * 3


def test_a_collection_without_overage_closes_nothing() -> None:
    """5 seats added for the next document are collected on 1 May; no use was billed, so none is closed."""
    year = plan_price(seat_price("100.00"), interval=BillingInterval.YEAR)
    later = ask(editor=15, mode=ProrationMode.PRORATED_ON_NEXT_INVOICE)
    posting = due(changed(started(year), later, "2026-04-16"), "2026-05-01")

    assert (posting.lines, posting.segments) == ((), None)
    assert [len(draft.lines) for draft in posting.drafts] == [1]


def test_a_renewal_closes_the_use_that_it_bills() -> None:
    """The year ends: the month of overage and the viewers of the year are closed with it."""
    posting = renewal(overused())

    assert posting.segments is not None
    assert [segment.metric for segment in posting.segments] == [EDITOR, VIEWER]


def test_an_end_closes_the_use_that_it_bills() -> None:
    """Two weeks of viewers are over on 15 April, and a month of them when the end waits for May; all editors
    are given up as the end was asked for.
    """
    state = in_use(started(plan_price(seat_price(), PEAK)), VIEWER, 4)
    waiting = (ScheduledChange(UUID(int=9), CancelAtRenewal()),)
    now = turn(state, Turn(TurnKind.CANCEL, ChangeTiming.NOW), "2026-04-15").posting
    later = renewal(replace(state, scheduled=waiting))

    assert [now.at, later.at] == [instant("2026-04-15"), APRIL.end]
    ends = [segment.period.end for posting in (now, later) for segment in posting.segments or ()]
    assert ends == [instant("2026-04-15"), APRIL.end]
    given_up = [(event.removed, event.source) for posting in (now, later) for event in posting.events]
    assert given_up == [(10, EventSource.CHANGE), (10, EventSource.SCHEDULED_CHANGE)]


def test_a_start_is_at_its_instant_and_at_what_was_agreed_then() -> None:
    """10 editors at the customer's own 6.00 are committed at the instant of the start, in a trial as well."""
    at = instant("2026-04-01 15:30")
    posting = start(with_overrides(unstarted(), agreed(price=unit("6.00"))), at, {EDITOR: 10})
    trial = start(replace(tried(), levels={}, lines=()), at, {EDITOR: 10})

    assert [line.amount for line in posting.lines] == [money("60.00")]
    assert [event.effective_at for each in (posting, trial) for event in each.events] == [at, at]
    assert (posting.at, trial.at) == (at, at)


def told_late() -> State:
    """A subscription whose viewers were billed by their peak until it ended on 1 May; 6 of April are told on
    20 May, with nothing billed so far.
    """
    price = plan_price(PEAK)
    state = started(price, editor=0)
    events = tuple(
        Delta(VIEWER, BalanceKind.IN_USE, 3, 0, instant(f"2026-04-{day}"), EventSource.REPORT)
        for day in ("03", "07")
    )
    segment = Segment(VIEWER, price.id, APRIL, APRIL, APRIL.start)
    late = Late(segment, price, (UUID(int=5),), told_at=instant("2026-05-20"))
    return replace(
        state,
        subscription=state.subscription.ended(),
        usage={VIEWER: Usage(events=events)},
        late=(late,),
    )


def test_what_is_told_after_the_end_is_billed_when_its_month_is_over() -> None:
    """6 viewers at 10.00 in April, told on 20 May: 60.00 on 1 June, and the subscription stays at its end."""
    state = told_late()
    posting = due(state, "2026-06-01")
    (line,) = posting.lines

    assert due_at(state) == posting.at == instant("2026-06-01")
    assert next_due(state, instant("2026-05-31 23:59")) is None
    assert (line.kind, line.amount, line.late) == (LineKind.ADJUSTMENT, money("60.00"), (UUID(int=5),))
    assert [draft.totals.total for draft in posting.drafts] == [money("60.00")]
    assert (posting.price, posting.events, posting.segments) == (state.price, (), ())
    assert posting.subscription.status is SubscriptionStatus.ENDED
    assert posting.subscription.version == state.subscription.version + 1


def test_the_last_that_was_told_says_when() -> None:
    """Told on 10 May and on 2 June: the first of July comes."""
    state = told_late()
    (late,) = state.late
    times = (instant("2026-05-10"), instant("2026-06-02"), None)

    assert due_at(replace(state, late=tuple(replace(late, told_at=at) for at in times))) == instant(
        "2026-07-01"
    )
    assert due_at(replace(state, late=(replace(late, told_at=None),))) is None
