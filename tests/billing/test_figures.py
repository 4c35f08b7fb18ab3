"""The figures that the product is promised by, each worked out by hand.

April 2026 has 30 days; on the 16th 15 of them are left.
"""

import pytest

from app.billing.documents import DocumentKind
from app.billing.periods import Period
from app.billing.plans import ProrationMode
from app.billing.renewals import renewal
from tests.billing.playing import amounts, changed, formulas, paid, quoted
from tests.builders import VAT, ask, direction, instant, money, plan_price, seat_price, started

TEAM = plan_price(seat_price("15.00", included=5), fee="99.00")
BASIC, PRO, STARTER = (
    plan_price(seat_price(included=1), plan=plan, fee=fee)
    for plan, fee in (("basic", "30.00"), ("pro", "80.00"), ("starter", "20.00"))
)


def test_five_seats_added_half_way_are_one_line_with_its_formula() -> None:
    """5 seats × 10.00 × 15/30 = 25.00."""
    quote = quoted(started(), ask(editor="+5"), "2026-04-16")

    assert formulas(quote) == ["5 seats × 10.00 USD × 15/30 days"]
    assert quote.due_now.total == money("25.00")


def test_a_base_fee_with_included_seats() -> None:
    """99.00 with 5 included, 15 committed: 99.00 + 10 × 15.00 = 249.00."""
    state = started(TEAM, editor=15)

    assert [billed.line.formula for billed in state.lines] == ["99.00 USD", "10 seats × 15.00 USD"]
    assert list(state.invoices.values()) == [money("249.00")]
    assert sum(draft.totals.total.minor for draft in renewal(state).drafts) == 24_900


def test_the_same_price_as_a_graduated_one() -> None:
    """A first tier of 5 seats for 99.00 flat, then 15.00 each: 15 seats cost 249.00 in one line."""
    graduated = plan_price(seat_price("0", "editor", (5, "0", "99.00"), (None, "15.00", "0")))
    (billed,) = started(graduated, editor=15).lines

    assert (billed.line.amount, billed.line.formula) == (money("249.00"), "99.00 USD + 10 seats × 15.00 USD")


def test_five_seats_given_back_half_way_are_a_credit_note_with_tax() -> None:
    """5 × 15.00 × 15/30 = 37.50, 19 % of it is 7.125 → 7.13, together 44.63."""
    state = started(TEAM, editor=15, taxes=VAT)
    quote = quoted(state, ask(editor="-5"), "2026-04-16")
    (note,) = quote.posting.drafts

    assert note.kind is DocumentKind.CREDIT_NOTE
    assert formulas(quote) == ["−5 seats × 15.00 USD × 15/30 days"]
    assert (note.totals.subtotal, note.totals.tax) == (money("-37.50"), money("-7.13"))
    assert note.totals.total == money("-44.63")


def test_a_short_first_period_counts_its_days_of_a_full_one() -> None:
    """From 10 April to the anchor on 1 May: 10 × 10.00 × 21/30 = 70.00."""
    (billed,) = started(at="2026-04-10", anchor="2026-05-01").lines

    assert (billed.line.amount, billed.line.formula) == (
        money("70.00"),
        "10 seats × 10.00 USD × 21/30 days",
    )


@pytest.mark.parametrize(
    ("mode", "lines", "net"),
    [
        (ProrationMode.PRORATED_IMMEDIATELY, ["-15.00", "40.00"], "25.00"),
        (ProrationMode.DIFFERENCE_IMMEDIATELY, ["-30.00", "80.00"], "50.00"),
        (ProrationMode.FULL_IMMEDIATELY, ["80.00"], "80.00"),
        (ProrationMode.PRORATED_ON_NEXT_INVOICE, ["-15.00", "40.00"], "0.00"),
        (ProrationMode.DO_NOT_BILL, ["0.00"], "0.00"),
    ],
)
def test_basic_to_pro_half_way(mode: ProrationMode, lines: list[str], net: str) -> None:
    """From 30.00 to 80.00 with 15 of 30 days left: −15 + 40 = 25 prorated, 80 − 30 = 50, or the full 80."""
    quote = quoted(started(BASIC, PRO, editor=1), ask(plan="pro", mode=mode), "2026-04-16")

    assert amounts(quote) == lines
    assert quote.due_now.total == money(net)


@pytest.mark.parametrize(
    ("mode", "lines", "credit"),
    [
        (ProrationMode.PRORATED_IMMEDIATELY, ["-40.00", "10.00"], "30.00"),
        (ProrationMode.DIFFERENCE_IMMEDIATELY, ["-80.00", "20.00"], "60.00"),
    ],
)
def test_pro_to_starter_half_way(mode: ProrationMode, lines: list[str], credit: str) -> None:
    """From 80.00 to 20.00: −40 + 10 = 30 of credit prorated, or the full difference of 60."""
    state = started(PRO, STARTER, editor=1)
    quote = quoted(state, ask(plan="starter", mode=mode), "2026-04-16")

    assert amounts(quote) == lines
    assert quote.due_now.total == money(f"-{credit}")


def test_a_full_difference_down_takes_back_no_more_than_was_billed() -> None:
    """Pro entered half way cost 40.00; back to Basic its 80.00 are capped at 40.00: −40 + 30 = −10."""
    state = changed(started(BASIC, PRO, editor=1), ask(plan="pro"), "2026-04-16")
    quote = quoted(state, ask(plan="basic", mode=ProrationMode.DIFFERENCE_IMMEDIATELY), "2026-04-21")

    assert amounts(quote) == ["-40.00", "30.00"]
    assert formulas(quote)[0] == "−min(80.00 USD, 40.00 USD)"


def test_credit_pays_the_next_invoice_after_tax() -> None:
    """A credit note of 44.63 on a paid month leaves 44.63 in hand; 5 × 15.00 + 19 % = 89.25, 44.62 is due."""
    price = plan_price(seat_price("15.00"))
    state = started(price, editor=10, taxes=VAT)
    state = changed(paid(state), ask(editor="-5"), "2026-04-16")
    (invoice,) = renewal(state).drafts

    assert state.credit == money("44.63")
    assert (invoice.totals.total, invoice.totals.credit_applied) == (money("89.25"), money("44.63"))
    assert invoice.totals.amount_due == money("44.62")


def test_a_first_invoice_is_a_document_of_its_own() -> None:
    """10 × 10.00 for April: one invoice of 100.00 over the whole month, nothing waits."""
    state = started()

    assert state.lines[0].line.period == Period(instant("2026-04-01"), instant("2026-05-01"), "UTC")
    assert state.waiting == ()
    assert list(state.invoices.values()) == [money("100.00")]


def test_a_restart_gives_back_every_seat_that_goes() -> None:
    """More editors restart the cycle, and a viewer and two guests go half way: −1 × 4.00 × 15/30 = −2.00 and
    −2 × 3.00 × 15/30 = −3.00, then a full period of 11 × 10.00, 4 × 4.00 and 3 × 3.00.
    """
    price = plan_price(
        seat_price(),
        seat_price("4.00", "viewer"),
        seat_price("3.00", "guest"),
        increase=direction(ProrationMode.FULL_IMMEDIATELY),
        decrease=direction(ProrationMode.PRORATED_IMMEDIATELY),
    )
    quote = quoted(started(price, viewer=5, guest=5), ask(editor="+1", viewer="-1", guest="-2"), "2026-04-16")

    assert amounts(quote) == ["-2.00", "-3.00", "110.00", "16.00", "9.00"]
