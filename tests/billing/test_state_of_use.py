"""What a state knows of time that is over: limits, what was paid for a stretch, and where its lines stand."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from app.billing.arrears import Late, Segment
from app.billing.backdated import Stretch
from app.billing.ledger import BalanceKind, Delta, EventSource
from app.billing.lines import BilledLine, Left, LineKind
from app.billing.periods import BillingInterval, Period
from app.billing.plans import BASE_FEE, ChargingBasis, Item, ProrationMode
from app.billing.renewals import renewal
from app.billing.state import Posting, State, after
from app.billing.usage import Usage
from tests.billing.playing import brought_up, changed, in_use
from tests.builders import EDITOR, VAT, VIEWER, ask, ids, instant, money, plan_price, seat_price, started

APRIL = Period(instant("2026-04-01"), instant("2026-05-01"), "UTC")
LATER, UNBILLED = ProrationMode.PRORATED_ON_NEXT_INVOICE, ProrationMode.DO_NOT_BILL
OVER = replace(seat_price(), basis=ChargingBasis.OVERAGE, overage_amount=Decimal("3.00"))
PEAK = replace(seat_price("4.00", VIEWER), basis=ChargingBasis.PEAK)


def committed(net: int, day: str, metric: Item = EDITOR, kind: BalanceKind = BalanceKind.COMMITTED) -> Delta:
    at = instant(f"2026-04-{day}")
    return Delta(metric, kind, max(0, net), max(0, -net), at, EventSource.REPORT)


def test_a_limit_is_what_was_committed_when_an_instant_came() -> None:
    """Ten editors, two more on the 16th, and one granted; viewers are billed by use and have no limit."""
    state = in_use(started(plan_price(OVER, PEAK)), EDITOR, 3, granted=1)
    asked = {EDITOR: Usage(10, events=(committed(2, "16"),))}

    assert state.limits(instant("2026-04-16")) == {EDITOR: 11}
    assert replace(state, asked=asked).limits(instant("2026-04-16")) == {EDITOR: 11}
    assert replace(state, asked=asked).limits(instant("2026-04-17")) == {EDITOR: 13}


def test_what_is_asked_moves_the_ledger_of_committed_seats() -> None:
    """Only that of the metric which is loaded, and only by committed seats."""
    asked = {EDITOR: Usage(10)}
    state = replace(started(), asked=asked)
    events = committed(2, "16"), committed(1, "17", VIEWER), committed(1, "18", kind=BalanceKind.IN_USE)
    posting = Posting(instant("2026-04-18"), state.subscription, state.price, events)

    assert after(state, posting, ids(state)).asked == {EDITOR: Usage(10, events=events[:1])}


def left_of(billed: BilledLine) -> Left:
    return Left(billed.id, billed.document, billed.line.period.start, billed.left, billed.line.tax)


def test_all_that_is_known_of_a_stretch() -> None:
    """Ten editors since the 1st, five more since the 16th of which two went again: the newest line first.
    Viewers, and what is given back, are not among them.
    """
    state = started(plan_price(seat_price(), seat_price("4.00", VIEWER)), viewer=3)
    state = changed(changed(state, ask(editor=15), "2026-04-16"), ask(editor=13), "2026-04-21")
    charges = [b for b in state.lines if b.line.item == EDITOR and b.line.kind is not LineKind.CREDIT]
    segment = Segment(EDITOR, state.price.id, APRIL, APRIL, APRIL.start)

    stretch = state.stretch(EDITOR)

    assert stretch == Stretch(segment, state.price, tuple(left_of(b) for b in reversed(charges)))
    assert [str(charge.amount.amount) for charge in stretch.charges] == ["18.33", "100.00"]
    assert stretch.billed == money("118.33")


def test_a_stretch_knows_only_its_own_price_and_period() -> None:
    """Pro since the 16th without a bill, from then to the end of April; the month of May is another one."""
    pro = plan_price(seat_price("20.00"), plan="pro")
    state = changed(started(plan_price(), pro), ask(plan="pro", mode=UNBILLED), "2026-04-16")
    stretch = state.stretch(EDITOR)
    late = Period(instant("2026-04-16"), APRIL.end, "UTC")
    may = brought_up(changed(started(), ask(editor=15, mode=LATER), "2026-04-16"), "2026-05-01")

    assert stretch.segment == Segment(EDITOR, pro.id, late, APRIL, APRIL.start)
    assert stretch.billed == money("0.00")
    assert [charge.since for charge in may.stretch(EDITOR).charges] == [instant("2026-05-01")]


def told_before(state: State, **rest: object) -> BilledLine:
    """A line of editors that were told late."""
    line = replace(state.lines[0].line, kind=LineKind.BACKDATED, amount=money("20.00"))
    line = replace(line, **rest)  # type: ignore[arg-type]
    return BilledLine(UUID(int=77), line, None, line.amount, line.quantity, instant("2026-04-16"))


def test_what_was_told_late_of_a_stretch_was_billed_for_it() -> None:
    """But not what was taken back then, nor what was for the month before, another price or other seats."""
    state = started()
    march = Period(instant("2026-03-01"), instant("2026-04-01"), "UTC")

    def billed(**rest: object) -> str:
        lines = (*state.lines, told_before(state, **rest))
        return str(replace(state, lines=lines).stretch(EDITOR).billed.amount)

    assert billed() == "120.00"
    assert billed(reverses=UUID(int=3)) == "100.00"
    assert billed(period=march) == "100.00"
    assert billed(price=UUID(int=9)) == "100.00"
    assert billed(item=VIEWER) == "100.00"
    assert billed(kind=LineKind.USAGE) == "100.00"


def test_a_renewal_closes_what_was_used_and_what_was_paid_ahead() -> None:
    """The viewers of April, and April itself in the name of the base fee; other seats close nothing."""
    state = in_use(started(plan_price(seat_price(), PEAK)), VIEWER, 2)
    posting, before = renewal(state), state.subscription
    used = Segment(VIEWER, state.price.id, APRIL, APRIL, APRIL.start)
    paid = Segment(BASE_FEE, state.price.id, APRIL, APRIL, APRIL.start)
    quiet = Posting(instant("2026-04-16"), before.changed(), state.price)

    assert posting.closes(before) == (used, paid)
    assert replace(posting, segments=None).closes(before) == (paid,)
    assert quiet.closes(before) == ()
    assert replace(quiet, segments=(used,)).closes(before) == (used,)


def test_a_short_first_period_closes_under_its_full_one() -> None:
    """From 10 April with an anchor on the 1st: the time from the 10th, priced by all of April."""
    state = started(at="2026-04-10", anchor="2026-04-01")
    rest = Period(instant("2026-04-10"), APRIL.end, "UTC")

    assert renewal(state).closes(state.subscription) == (
        Segment(BASE_FEE, state.price.id, rest, APRIL, rest.start),
    )


def test_events_cause_the_lines_of_their_metric() -> None:
    """Added, given back, swapped and told late: by the events of the item; a period by its balance."""
    state = started()
    line = state.lines[0].line
    events = committed(2, "16"), committed(1, "16", VIEWER)
    posting = Posting(instant("2026-04-16"), state.subscription, state.price, events)
    caused = {kind: posting.events_of(replace(line, kind=kind)) for kind in LineKind}

    by_events = {LineKind.ADDED, LineKind.CREDIT, LineKind.UNUSED, LineKind.BACKDATED}
    assert {kind for kind, found in caused.items() if found} == by_events
    assert all(caused[kind] == events[:1] for kind in by_events)


def late_of(state: State, *charges: Left) -> Late:
    segment = Segment(EDITOR, state.price.id, APRIL, APRIL, APRIL.start)
    return Late(segment, state.price, (UUID(int=5),), charges)


def test_late_lines_stand_where_they_stood() -> None:
    """The lines that are known, those of late segments, and others that waiting credits take back; a line
    that waits stands nowhere yet.
    """
    state = started()
    (billed,) = state.lines
    stood, waits = UUID(int=21), UUID(int=22)
    charges = (
        replace(left_of(billed), line=stood, document=UUID(int=31)),
        replace(left_of(billed), line=waits, document=None),
    )
    known = replace(state, late=(late_of(state, *charges),), elsewhere={UUID(int=23): UUID(int=33)})
    taken = (billed.id, stood, waits, UUID(int=23), UUID(int=24), None)
    credits_of = [replace(billed.line, reverses=line) for line in taken]

    assert known.stands_on(credits_of) == {
        billed.id: billed.document,
        stood: UUID(int=31),
        UUID(int=23): UUID(int=33),
    }
    assert known.stands_on(credits_of[1:2]) == {stood: UUID(int=31)}


def test_what_is_late_stays_so_until_use_is_billed() -> None:
    """A change of seats bills no use; a renewal does, even of none."""
    state = started()
    state = replace(state, late=(late_of(state),))
    quiet = Posting(instant("2026-04-16"), state.subscription.changed(), state.price)

    assert after(state, quiet, ids(state)).late == state.late
    assert after(state, replace(quiet, segments=()), ids(state)).late == ()


def test_a_credit_that_waits_remembers_where_its_charge_stands() -> None:
    """5 of 10 yearly seats go with the next document, and the year ends before: the charge is not live any
    more, its document is known as long as the credit waits.
    """
    year = plan_price(seat_price("100.00"), interval=BillingInterval.YEAR)
    state = changed(started(year), ask(editor=5, mode=LATER), "2026-04-16")
    (charge, _) = state.lines
    quiet = Posting(instant("2026-04-20"), state.subscription.changed(), state.price)

    assert state.elsewhere == {charge.id: charge.document}
    assert after(state, quiet, ids(state)).elsewhere == {charge.id: charge.document}
    assert brought_up(state, "2026-05-01").elsewhere == {}


def test_late_use_is_adjusted_in_the_cycle_of_today_with_the_tax_of_its_last_day() -> None:
    """Two viewers of April were told late, when it was May: the line arises in the second cycle."""
    state = brought_up(started(plan_price(seat_price(), PEAK), taxes=VAT), "2026-05-01")
    segment = Segment(VIEWER, state.price.id, APRIL, APRIL, APRIL.start)
    late = Late(segment, state.price, (UUID(int=5),))
    usage = {VIEWER: Usage(2)}
    (line, *_) = replace(state, late=(late,), usage=usage).reckoned(instant("2026-05-16")).lines

    assert (line.kind, line.cycle, line.amount) == (LineKind.ADJUSTMENT, 1, money("8.00"))
    assert line.tax == state.treatment(instant("2026-04-30").date())


def test_overage_is_reckoned_by_the_seats_that_were_asked_for_until_then() -> None:
    """12 editors in use; ten were committed until the 16th, and twelve since: two are above before, none
    after.
    """
    state = in_use(started(plan_price(OVER)), EDITOR, 12)
    state = replace(state, asked={EDITOR: Usage(10, events=(committed(2, "16"),))})
    closings = [state.reckoned(instant(f"2026-04-{day}")) for day in ("16", "17")]

    assert [[line.quantity for line in closing.lines] for closing in closings] == [[2], []]
    assert [[segment.limit for segment in closing.segments] for closing in closings] == [[10], [12]]
