"""Lines become an invoice, a credit note, both, or wait; and documents move what is due and in hand."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.billing.changes import totals_due
from app.billing.documents import DocumentKind, Draft, LineRef, drafts_of, no_totals, totals_of
from app.billing.lines import Line
from app.billing.money import Money
from app.billing.plans import ProrationMode
from app.billing.renewals import renewal
from app.billing.state import State
from app.billing.taxes import TaxCategory, TaxRate, TaxRules, TaxTreatment
from tests.billing.playing import amounts, changed, paid, quoted
from tests.builders import VAT, ask, money, plan_price, seat_price, started

LATER = ProrationMode.PRORATED_ON_NEXT_INVOICE
ZERO = money("0.00")
LINE = started(taxes=VAT).lines[0].line
NO_VAT = TaxTreatment(TaxCategory.REVERSE_CHARGE, Decimal(0), "VAT")
RISING = TaxRules(
    "DE",
    (
        TaxRate("DE", "VAT", Decimal(16), date(2020, 1, 1), date(2026, 4, 16)),
        TaxRate("DE", "VAT", Decimal(19), date(2026, 4, 16)),
    ),
)


def a_ref(amount: str, *, tax: TaxTreatment = LINE.tax, invoice: int | None = None) -> LineRef:
    """A new line of an amount; a credit of an invoice if one is named."""
    line: Line = replace(LINE, amount=money(amount), tax=tax)
    return LineRef(line, new=0, invoice=UUID(int=invoice) if invoice else None)


def made(*refs: LineRef, credit: str = "0.00", due: dict[int, str] | None = None) -> tuple[Draft, ...]:
    """The documents of lines, with so much credit in hand and so much due by invoice."""
    open_amounts = {UUID(int=invoice): money(amount) for invoice, amount in (due or {}).items()}
    return drafts_of(refs, credit=money(credit), open_amounts=open_amounts)


@given(st.lists(st.integers(-100_000, 100_000)), st.integers(0, 100_000))
def test_totals_add_up(minors: list[int], credit: int) -> None:
    """The total is subtotal + tax; due is max(0, total) − the credit applied, never more than there is."""
    lines = [replace(LINE, amount=Money(minor, ZERO.currency)) for minor in minors]
    totals = totals_of(lines, Money(credit, ZERO.currency))

    assert totals.subtotal.minor == sum(minors)
    assert totals.total == totals.subtotal + totals.tax
    assert totals.amount_due.minor == max(0, totals.total.minor) - totals.credit_applied.minor
    assert 0 <= totals.credit_applied.minor <= credit
    assert totals.amount_due.minor == 0 or totals.credit_applied.minor == credit


def test_a_positive_sum_is_an_invoice() -> None:
    """100.00 − 40.00 at 19 %: an invoice of 71.40 with the credit line on it."""
    (draft,) = made(a_ref("100.00"), a_ref("-40.00", invoice=1), due={1: "50.00"})

    assert (draft.kind, draft.totals.total) == (DocumentKind.INVOICE, money("71.40"))
    assert (draft.reduces, draft.credit_added) == ((), ZERO)


def test_a_negative_sum_is_a_credit_note() -> None:
    """10.00 − 40.00 at 19 %: a credit note of 35.70, charge line included."""
    (draft,) = made(a_ref("10.00"), a_ref("-40.00", invoice=1))

    assert (draft.kind, draft.totals.total) == (DocumentKind.CREDIT_NOTE, money("-35.70"))
    assert (len(draft.lines), draft.totals.amount_due) == (2, ZERO)
    assert draft.credit_added == money("35.70")


def test_a_sum_of_nothing_is_no_document() -> None:
    """40.00 − 40.00, 0.00, or no line at all: they wait."""
    assert made(a_ref("40.00"), a_ref("-40.00")) == made(a_ref("0.00")) == made() == ()


def test_the_smallest_sums_are_documents_too() -> None:
    """A cent more than nothing is an invoice, a cent less a credit note."""
    (invoice,), (note,) = made(a_ref("0.01")), made(a_ref("-0.01"))

    assert (invoice.kind, invoice.totals.amount_due) == (DocumentKind.INVOICE, money("0.01"))
    assert (note.kind, note.credit_added) == (DocumentKind.CREDIT_NOTE, money("0.01"))


def test_a_credit_note_first_reduces_what_is_due_on_the_invoices_it_reverses() -> None:
    """−100.00 at 19 % is 119.00: 50.00 off the first invoice, 60.00 off the second, 9.00 to the balance."""
    refs = (a_ref("-40.00", invoice=1), a_ref("-30.00", invoice=2), a_ref("-30.00", invoice=1))
    (draft,) = made(*refs, due={1: "50.00", 2: "60.00", 3: "500.00"})

    assert draft.reduces == ((UUID(int=1), money("50.00")), (UUID(int=2), money("60.00")))
    assert draft.credit_added == money("9.00")


def test_a_credit_note_reduces_the_oldest_invoice_first() -> None:
    """The newest line is given back first, but its invoice is newer and due later: 59.50 go to the first
    invoice as far as 50.00 are due on it, and 9.50 to the second.
    """
    (draft,) = made(a_ref("-20.00", invoice=2), a_ref("-30.00", invoice=1), due={1: "50.00", 2: "60.00"})

    assert draft.reduces == ((UUID(int=1), money("50.00")), (UUID(int=2), money("9.50")))
    assert draft.credit_added == ZERO


def test_a_credit_note_takes_no_more_off_an_invoice_than_it_is_worth() -> None:
    """11.90 off an invoice of 500.00; a paid one, and one that is not known any more, are left alone."""
    (small,) = made(a_ref("-10.00", invoice=1), due={1: "500.00"})
    (settled,) = made(a_ref("-10.00", invoice=1), a_ref("-10.00", invoice=2), due={1: "0.00"})

    assert (small.reduces, small.credit_added) == (((UUID(int=1), money("11.90")),), ZERO)
    assert (settled.reduces, settled.credit_added) == ((), money("23.80"))


def test_credit_in_hand_pays_after_tax() -> None:
    """119.00 with 100.00 in hand leaves 19.00 due; with 200.00 nothing is due, and it is still an invoice."""
    (part,), (whole,) = made(a_ref("100.00"), credit="100.00"), made(a_ref("100.00"), credit="200.00")

    assert (part.totals.total, part.totals.amount_due) == (money("119.00"), money("19.00"))
    assert (whole.kind, whole.totals.credit_applied) == (DocumentKind.INVOICE, money("119.00"))
    assert whole.totals.amount_due == ZERO


def test_credits_that_were_taxed_otherwise_are_a_document_apart() -> None:
    """−40.00 of reverse charge and 100.00 at 19 %: a credit note of 40.00, and an invoice of 119.00."""
    note, invoice = made(a_ref("100.00"), a_ref("-40.00", tax=NO_VAT, invoice=1), due={1: "10.00"})

    assert (note.kind, note.totals.total) == (DocumentKind.CREDIT_NOTE, money("-40.00"))
    assert (note.reduces, note.credit_added) == (((UUID(int=1), money("10.00")),), money("30.00"))
    assert (invoice.kind, invoice.totals.total) == (DocumentKind.INVOICE, money("119.00"))
    assert (invoice.totals.credit_applied, invoice.totals.amount_due) == (money("30.00"), money("89.00"))


def test_credits_of_another_treatment_alone_are_one_credit_note() -> None:
    """Without charges there is nothing to keep them apart from; each treatment has its own tax line."""
    (note,) = made(a_ref("-40.00", tax=NO_VAT), a_ref("-10.00"))

    assert (len(note.totals.taxes), note.totals.total) == (2, money("-51.90"))


def test_free_charges_beside_a_foreign_credit_wait() -> None:
    """The credit note is made; a charge of 0.00 makes no invoice."""
    (note,) = made(a_ref("0.00"), a_ref("-40.00", tax=NO_VAT))

    assert [ref.line.amount for ref in note.lines] == [money("-40.00")]


def test_a_rate_that_changed_since_splits_a_plan_change() -> None:
    """Billed at 16 % on 1 April, changed at 19 % on the 16th: −50.00 − 8.00 back, 100.00 + 19.00 charged.

    Nothing was paid: the note takes 58.00 off the first invoice, and the second one is due whole.
    """
    dearer = plan_price(seat_price("20.00"), plan="pro")
    state = started(plan_price(), dearer, taxes=RISING)
    quote = quoted(state, ask(plan="pro"), "2026-04-16")
    note, invoice = quote.posting.drafts
    after = changed(state, ask(plan="pro"), "2026-04-16")

    assert (note.totals.total, invoice.totals.total) == (money("-58.00"), money("119.00"))
    assert list(after.invoices.values()) == [money("58.00"), money("119.00")]
    assert after.credit == ZERO
    due = quote.due_now
    assert (due.subtotal, due.tax, due.total) == (money("50.00"), money("11.00"), money("61.00"))
    assert (due.amount_due, len(due.taxes)) == (money("119.00"), 2)


def test_a_rate_that_changed_keeps_the_credit_of_a_removal() -> None:
    """5 seats billed at 16 % go back at 16 %: 25.00 + 4.00, after the rate rose to 19 %."""
    quote = quoted(started(taxes=RISING), ask(editor=5), "2026-04-16")

    assert quote.due_now.total == money("-29.00")


def test_the_totals_of_nothing_are_nothing() -> None:
    """No document, no line, no tax: all totals are zero."""
    totals = no_totals(ZERO.currency)

    assert totals == totals_due((), ZERO)
    assert (totals.subtotal, totals.tax, totals.total, totals.amount_due) == (ZERO, ZERO, ZERO, ZERO)
    assert totals.taxes == ()


def test_a_credit_for_a_line_that_waits_reverses_no_invoice() -> None:
    """5 seats wait with 25.00, 3 of them go back at once with 15.00: an invoice of 10.00."""
    state = changed(started(), ask(editor=15, mode=LATER), "2026-04-16")
    quote = quoted(state, ask(editor=12), "2026-04-16")
    (draft,) = quote.posting.drafts

    assert amounts(quote) == ["25.00", "-15.00"]
    assert (draft.totals.total, draft.lines[1].invoice) == (money("10.00"), None)


def test_a_credit_for_a_line_that_waits_can_wait_with_it() -> None:
    """All 5 go back on the same day: 25.00 − 25.00 wait, and neither is ever due by itself."""
    state = changed(started(), ask(editor=15, mode=LATER), "2026-04-16")
    quote = quoted(state, ask(editor=10), "2026-04-16")

    assert (quote.posting.drafts, quote.due_now.total) == ((), ZERO)
    assert [line.waits for line in quote.lines] == [True]


def test_a_credit_that_waits_still_reduces_its_invoice_at_the_renewal() -> None:
    """8 of 10 seats back on the next invoice, −40.00; May is 20.00: 20.00 less on April's invoice."""
    state = changed(started(), ask(editor=2, mode=LATER), "2026-04-16")
    (note,) = renewal(state).drafts

    assert (note.totals.total, note.credit_added) == (money("-20.00"), ZERO)
    assert [amount for _, amount in note.reduces] == [money("20.00")]


def test_what_a_posting_does_to_the_money_in_hand() -> None:
    """An open invoice of 100.00 is reduced to 75.00; on a paid one the same 25.00 become credit."""
    unpaid = changed(started(), ask(editor=5), "2026-04-16")
    settled = changed(paid(started()), ask(editor=5), "2026-04-16")

    assert (list(unpaid.invoices.values()), unpaid.credit) == ([money("75.00")], ZERO)
    assert (list(settled.invoices.values()), settled.credit) == ([ZERO], money("25.00"))


def a_state_with_credit() -> State:
    return changed(paid(started()), ask(editor=5), "2026-04-16")


def test_credit_is_used_up_by_the_next_invoice() -> None:
    """25.00 in hand, 2 seats at 10.00 × 10/30 = 6.67: nothing due, 18.33 stay in hand."""
    state = changed(a_state_with_credit(), ask(editor=7), "2026-04-21")

    assert state.credit == money("18.33")
    assert list(state.invoices.values())[-1] == ZERO
