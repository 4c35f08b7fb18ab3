"""What a state knows, and what a posting makes of it."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from app.billing.documents import LineRef
from app.billing.ledger import BalanceKind, Delta, EventSource, SeatLevels
from app.billing.lines import BilledLine, LineKind
from app.billing.plans import BASE_FEE, Item, ProrationMode
from app.billing.state import Posting, after, reduced
from app.billing.taxes import TaxCategory
from tests.billing.playing import brought_up, changed, in_use, paid
from tests.builders import EDITOR, VAT, VIEWER, ask, ids, instant, money, plan_price, seat_price, started

BOTH = plan_price(seat_price(), seat_price("4.00", VIEWER), fee="99.00")
UNBILLED = ProrationMode.DO_NOT_BILL
AT = instant("2026-04-16")


def an_event(kind: BalanceKind, metric: Item, added: int) -> Delta:
    return Delta(metric, kind, added, 0, instant("2026-04-16"), EventSource.REPORT)


def test_events_move_both_balances() -> None:
    """Reported seats in use and committed ones are levels of their metric, known before or not."""
    state = started()
    events = (
        an_event(BalanceKind.IN_USE, EDITOR, 3),
        an_event(BalanceKind.COMMITTED, EDITOR, 2),
        an_event(BalanceKind.IN_USE, VIEWER, 1),
    )
    posting = Posting(instant("2026-04-16"), state.subscription, state.price, events)
    levels = after(state, posting, ids(state)).levels

    assert levels == {EDITOR: SeatLevels(12, 3), VIEWER: SeatLevels(0, 1)}


def test_committed_seats_of_every_metric_that_is_known() -> None:
    """The plan's metrics and the ledger's, in a fixed order, with 0 where nothing was committed."""
    state = in_use(started(BOTH), Item("guest"), 2)

    assert state.committed() == {EDITOR: 10, Item("guest"): 0, VIEWER: 0}


def test_the_lines_of_a_cycle_go_with_it() -> None:
    """After the renewal only the lines of May are live."""
    state = brought_up(changed(started(BOTH, viewer=5), ask(editor=12), "2026-04-16"), "2026-05-01")

    assert [billed.line.cycle for billed in state.lines] == [1, 1, 1]
    assert state.items() == (BASE_FEE, EDITOR, VIEWER)


def test_charges_are_listed_newest_first() -> None:
    """Lines of an item that charge, in the present cycle; credits are none of them."""
    state = changed(started(), ask(editor=12), "2026-04-11")
    state = changed(state, ask(editor=11), "2026-04-16")

    assert [str(b.line.amount.amount) for b in state.charges_of(EDITOR)] == ["13.33", "100.00"]
    assert [b.units_left for b in state.charges_of(EDITOR)] == [1, 10]
    assert state.charges_of(VIEWER) == ()


def test_paid_units_are_those_at_the_present_version() -> None:
    """Seats paid at an old price are paid, but not at the new one."""
    dearer = plan_price(seat_price("20.00"), plan="pro")
    state = started(plan_price(), dearer)

    assert state.paid_units(EDITOR) == 10
    assert changed(state, ask(editor=8, mode=UNBILLED), "2026-04-16").paid_units(EDITOR) == 10
    assert changed(state, ask(plan="pro", editor=12), "2026-04-16").paid_units(EDITOR) == 12


def test_credits_leave_less_of_their_line() -> None:
    """10 seats for 100.00, less 3 for 15.00 and 2 for 10.00: 5 seats and 75.00 are left."""
    state = started()
    (billed,) = state.lines
    credits_ = tuple(
        replace(billed.line, kind=LineKind.CREDIT, quantity=units, amount=money(amount), reverses=billed.id)
        for units, amount in ((3, "-15.00"), (2, "-10.00"))
    )
    (left,) = reduced((billed,), credits_)

    assert (left.units_left, left.left) == (5, money("75.00"))
    assert reduced((billed,), (billed.line,)) == (billed,)


def test_a_metric_without_events_has_no_seats() -> None:
    """An unknown level is zero, not an error."""
    assert started().level(VIEWER) == SeatLevels()


def test_a_line_of_a_draft_is_new_or_waits() -> None:
    """Its id is that of its place among the new lines, or the one it has already; one of the two it has."""
    line = started().lines[0].line
    new_ids = [UUID(int=7), UUID(int=8)]

    assert LineRef(line, new=1).id_among(new_ids) == UUID(int=8)
    assert LineRef(line, waiting=UUID(int=9)).id_among(new_ids) == UUID(int=9)
    with pytest.raises(AssertionError, match="a line is new or waits"):
        LineRef(line).id_among(new_ids)


def test_an_invoice_of_a_cent_is_due_and_a_credit_note_is_not() -> None:
    """One seat at 0.01; given back on the first day when it was paid, nothing more is due on anything."""
    state = started(plan_price(seat_price("0.01")), editor=1)
    back = changed(paid(state), ask(editor=0), "2026-04-01")

    assert list(state.invoices.values()) == [money("0.01")]
    assert list(back.invoices.values()) == [money("0.00")]


def test_credits_of_two_lines_leave_each_what_is_its_own() -> None:
    """5 of 15 seats, and then 2 of 10: the newest line is empty, the other has 8 seats and 80.00 left; what
    is told of time that is over takes money and no seats.
    """
    state = changed(started(), ask(editor=15), "2026-04-01")
    old, new = state.lines
    taken = tuple(
        replace(billed.line, kind=kind, quantity=units, amount=money(amount), reverses=billed.id)
        for billed, kind, units, amount in (
            (new, LineKind.CREDIT, 5, "-50.00"),
            (old, LineKind.CREDIT, 2, "-20.00"),
            (old, LineKind.BACKDATED, 3, "-7.00"),
        )
    )
    left = reduced(state.lines, taken)

    assert [(b.units_left, b.left) for b in left] == [(8, money("73.00")), (0, money("0.00"))]


def test_taxes_are_those_of_the_country_and_of_the_business() -> None:
    """A French business accounts for the tax itself, a French person pays the seller's rate."""
    state = started(taxes=VAT)
    person = replace(state, buyer=replace(state.buyer, country="FR"))
    business = replace(state, buyer=replace(state.buyer, country="FR", tax_id="FR123"))
    abroad = replace(state, buyer=replace(state.buyer, country="US"))

    assert [each.treatment(date(2026, 4, 1)).category for each in (state, person, business, abroad)] == [
        TaxCategory.STANDARD,
        TaxCategory.STANDARD,
        TaxCategory.REVERSE_CHARGE,
        TaxCategory.OUTSIDE_SCOPE,
    ]


def test_items_are_those_with_live_charges() -> None:
    """What is used up, given back or of another cycle is no charge of this one."""
    state = started(BOTH, viewer=3)
    line = state.lines[0].line
    kinds: tuple[dict[str, Any], ...] = (
        {"cycle": 5},
        {"kind": LineKind.USAGE},
        {"kind": LineKind.CREDIT},
    )
    others = tuple(
        BilledLine(UUID(int=n), replace(line, item=Item(f"other{n}"), **what), None, line.amount, 1, AT)
        for n, what in enumerate(kinds)
    )

    assert replace(state, lines=(*others, *state.lines)).items() == (BASE_FEE, EDITOR, VIEWER)
