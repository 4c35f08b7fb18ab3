"""What a quote says of the renewal: all that will stand on its documents, and nothing collected before."""

from datetime import date
from decimal import Decimal

from app.billing.periods import BillingInterval
from app.billing.plans import ChangeTiming, ProrationMode
from app.billing.taxes import TaxRate, TaxRules
from tests.billing.playing import changed, quoted
from tests.builders import ask, money, plan_price, seat_price, started

LATER = ProrationMode.PRORATED_ON_NEXT_INVOICE
CHEAPER_FROM_MAY = TaxRules(
    "DE",
    (
        TaxRate("DE", "VAT", Decimal(19), date(2020, 1, 1), date(2026, 5, 1)),
        TaxRate("DE", "VAT", Decimal(16), date(2026, 5, 1)),
    ),
)


def test_a_renewal_of_two_documents_is_foreseen_as_one_sum() -> None:
    """5 of 10 seats go half way: 25.00 go back at 19 %, a credit note of 29.75; May costs 50.00 at 16 %, an
    invoice of 58.00. Together 25.00 with 3.25 tax; 58.00 are due.
    """
    quote = quoted(started(taxes=CHEAPER_FROM_MAY), ask(editor=5, mode=LATER), "2026-04-16")

    assert quote.at_renewal is not None
    assert quote.at_renewal.subtotal == money("25.00")
    assert [str(tax.amount.amount) for tax in quote.at_renewal.taxes] == ["-4.75", "8.00"]
    assert (quote.at_renewal.tax, quote.at_renewal.total) == (money("3.25"), money("28.25"))
    assert (quote.at_renewal.credit_applied, quote.at_renewal.amount_due) == (money("0.00"), money("58.00"))


def test_what_is_collected_before_a_free_renewal_is_not_foreseen_in_it() -> None:
    """Two seats more wait for the end of the month; the year ends with a plan that costs nothing."""
    year = plan_price(seat_price("120.00"), interval=BillingInterval.YEAR)
    free = plan_price(seat_price("0"), plan="free", interval=BillingInterval.YEAR)
    state = changed(started(year, free), ask(plan="free", timing=ChangeTiming.AT_RENEWAL), "2026-04-10")
    quote = quoted(state, ask(editor="+2", mode=LATER), "2026-04-16")

    assert quote.due_now.total == money("0.00")
    assert [shown.waits for shown in quote.lines] == [True]
    assert quote.at_renewal is not None
    assert quote.at_renewal.total == money("0.00")
