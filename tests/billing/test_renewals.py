"""A period ends and the next begins; waiting lines are collected; nothing is done twice."""

from dataclasses import replace
from uuid import UUID

import pytest

from app.billing.changes import renewal_forecast
from app.billing.documents import DocumentKind
from app.billing.ledger import EventSource
from app.billing.periods import BillingInterval
from app.billing.plans import ChangeTiming, ProrationMode
from app.billing.renewals import bring_up, due_at, next_due, renewal, start
from app.billing.state import State
from app.billing.subscriptions import CancelAtRenewal, ScheduledChange
from tests.billing.playing import amounts, brought_up, changed, quoted
from tests.builders import EDITOR, ask, ids, instant, money, plan_price, seat_price, started, unstarted

LATER = ProrationMode.PRORATED_ON_NEXT_INVOICE
UNBILLED = ProrationMode.DO_NOT_BILL
YEARLY = plan_price(seat_price("100.00"), interval=BillingInterval.YEAR)


def documents(state: State, until: str) -> list[tuple[str, str]]:
    """The day and total of every document that comes due."""
    steps = bring_up(state, instant(until), ids(state))
    drafts = [(step.posting.at, draft) for step in steps for draft in step.posting.drafts]
    return [(at.date().isoformat(), str(draft.totals.total.amount)) for at, draft in drafts]


def test_a_start_commits_its_seats_and_bills_them() -> None:
    """10 editors are one event of the start and one line; metrics with no seat make no event."""
    posting = start(unstarted(), instant("2026-04-01"), {EDITOR: 10, type(EDITOR)("viewer"): 0})

    assert [(event.metric, event.added, event.source) for event in posting.events] == [
        (EDITOR, 10, EventSource.START)
    ]
    assert [draft.totals.total for draft in posting.drafts] == [money("100.00")]


def test_every_renewal_is_a_document_of_its_own() -> None:
    """Three months passed by: three invoices of 100.00, each on its own day."""
    assert documents(started(), "2026-07-15") == [
        ("2026-05-01", "100.00"),
        ("2026-06-01", "100.00"),
        ("2026-07-01", "100.00"),
    ]


def test_nothing_is_due_before_the_period_ends() -> None:
    """A second before the boundary nothing is due; at the boundary the renewal is."""
    state = started()

    assert due_at(state) == instant("2026-05-01")
    assert next_due(state, instant("2026-04-30 23:59:59")) is None
    assert next_due(state, instant("2026-05-01")) == renewal(state)


def test_an_ended_subscription_is_never_due() -> None:
    """Nothing renews after the end."""
    state = started()
    ended = replace(state, subscription=state.subscription.ended())

    assert (due_at(ended), next_due(ended, instant("2030-01-01"))) == (None, None)


def test_seats_that_were_not_billed_are_billed_in_full_from_the_renewal() -> None:
    """5 unbilled: their line of 0.00 stands on the invoice of May beside 15 × 10.00."""
    state = changed(started(), ask(editor=15, mode=UNBILLED), "2026-04-16")
    (draft,) = renewal(state).drafts

    assert [str(ref.line.amount.amount) for ref in draft.lines] == ["0.00", "150.00"]


def test_lines_that_wait_stand_first_on_the_next_document() -> None:
    """Prorated on the next invoice: 25.00 and then 150.00 on one invoice of 175.00."""
    state = changed(started(), ask(editor=15, mode=LATER), "2026-04-16")
    (draft,) = renewal(state).drafts

    assert [ref.waiting is not None for ref in draft.lines] == [True, False]
    assert draft.totals.total == money("175.00")
    assert brought_up(state, "2026-05-01").waiting == ()


def test_any_document_collects_what_waits() -> None:
    """25.00 wait; two more seats on the 21st (2 × 10.00 × 10/30 = 6.67) make an invoice of 31.67."""
    state = changed(started(), ask(editor=15, mode=LATER), "2026-04-16")
    quote = quoted(state, ask(editor=17), "2026-04-21")

    assert amounts(quote) == ["25.00", "6.67"]
    assert [line.waits for line in quote.lines] == [False, False]
    assert quote.due_now.total == money("31.67")


def test_a_yearly_term_collects_what_waits_each_month() -> None:
    """5 × 100.00 × 350/365 = 479.45 added on 16 April are due on 1 May, not in a year."""
    state = changed(started(YEARLY), ask(editor=15, mode=LATER), "2026-04-16")

    assert due_at(state) == instant("2026-05-01")
    assert documents(state, "2027-03-31") == [("2026-05-01", "479.45")]
    assert brought_up(state, "2027-04-01").lines[-1].line.amount == money("1500.00")


def test_months_of_a_yearly_term_are_counted_from_the_anchor() -> None:
    """A year from 31 January: what waits since 10 February is collected on the 28th."""
    state = changed(started(YEARLY, at="2026-01-31"), ask(editor=15, mode=LATER), "2026-02-10")

    assert due_at(state) == instant("2026-02-28")


def test_credits_that_wait_are_collected_as_a_credit_note() -> None:
    """5 of 10 yearly seats given back on the next invoice: −479.45 on 1 May."""
    state = changed(started(YEARLY), ask(editor=5, mode=LATER), "2026-04-16")
    posting = next_due(state, instant("2026-05-01"))

    assert posting is not None
    assert [draft.kind for draft in posting.drafts] == [DocumentKind.CREDIT_NOTE]
    assert posting.subscription.version == state.subscription.version + 1


def test_lines_that_sum_to_nothing_wait_for_the_next_real_document() -> None:
    """+5 and −5 on one day wait in a yearly term without being due; the next 5 seats collect them in June."""
    state = changed(started(YEARLY), ask(editor=15, mode=LATER), "2026-04-16")
    state = changed(state, ask(editor=10, mode=LATER), "2026-04-16")
    state = brought_up(state, "2026-05-20")
    later = changed(state, ask(editor=15, mode=LATER), "2026-05-20")

    assert len(state.waiting) == 2
    assert due_at(state) == instant("2027-04-01")
    assert due_at(later) == instant("2026-06-01")
    assert len(brought_up(later, "2026-06-01").waiting) == 0


def test_a_free_period_makes_no_line_and_no_document() -> None:
    """A plan of free seats renews silently, and a start is silent alike."""
    state = started(plan_price(seat_price("0.00")))
    renewed = brought_up(state, "2026-06-15")

    assert (state.lines, state.invoices) == ((), {})
    assert (renewed.lines, renewed.invoices) == ((), {})
    assert renewed.subscription.period.start == instant("2026-06-01")


def test_free_seats_beside_paid_ones_are_shown() -> None:
    """An invoice lists its free seats with 0.00, so that people see that they are free."""
    price = plan_price(seat_price(), seat_price("0.00", "guest"))

    assert [str(b.line.amount.amount) for b in started(price, guest=7).lines] == ["100.00", "0.00"]


def test_a_renewal_that_sums_to_nothing_waits_whole() -> None:
    """A credit of 100.00 that waits and a renewal of 100.00: no document, the three lines wait for June."""
    state = changed(started(editor=30), ask(editor=10, mode=LATER), "2026-04-16")
    renewed = brought_up(state, "2026-05-01")

    assert [str(b.line.amount.amount) for b in renewed.waiting] == ["-100.00", "100.00"]
    assert renewed.credit == money("0.00")
    assert documents(renewed, "2026-06-01") == [("2026-06-01", "100.00")]


def test_the_forecast_of_a_renewal_that_sums_to_nothing_is_nothing() -> None:
    """The credit that waits pays the whole month of May."""
    quote = quoted(started(editor=30), ask(editor=10, mode=LATER), "2026-04-16")

    assert quote.at_renewal is not None
    assert quote.at_renewal.total == money("0.00")


def test_the_forecast_of_a_year_leaves_out_what_is_collected_before() -> None:
    """479.45 are collected in May; the renewal of 2027 costs 15 × 100.00."""
    quote = quoted(started(YEARLY), ask(editor=15, mode=LATER), "2026-04-16")

    assert quote.at_renewal is not None
    assert quote.at_renewal.total == money("1500.00")


def test_the_forecast_of_a_year_counts_a_credit_that_is_collected_before() -> None:
    """5 seats back wait with 479.45 of credit, in hand from May; the 500.00 of 2027 are due with 20.55."""
    state = replace(started(YEARLY), invoices={})
    quote = quoted(state, ask(editor=5, mode=LATER), "2026-04-16")

    assert quote.at_renewal is not None
    assert (quote.at_renewal.total, quote.at_renewal.amount_due) == (money("500.00"), money("20.55"))


@pytest.mark.parametrize("interval", list(BillingInterval))
def test_a_new_interval_at_the_renewal_keeps_the_anchor(interval: BillingInterval) -> None:
    """From 31 January by the month to any interval on 28 February: the boundaries stay on the 31st."""
    other = plan_price(seat_price("99.00"), plan="other", interval=interval)
    state = started(plan_price(), other, at="2026-01-31")
    asked = ask(plan="other", interval=interval, timing=ChangeTiming.AT_RENEWAL)
    renewed = brought_up(changed(state, asked, "2026-02-10"), "2026-02-28").subscription

    assert renewed.period.start == instant("2026-02-28")
    assert (
        renewed.period.end
        == {
            BillingInterval.MONTH: instant("2026-03-31"),
            BillingInterval.QUARTER: instant("2026-05-31"),
            BillingInterval.HALF_YEAR: instant("2026-08-31"),
            BillingInterval.YEAR: instant("2027-02-28"),
        }[interval]
    )


def test_the_forecast_without_a_change() -> None:
    """As it is, May costs 100.00, and what waits; nothing renews after an end that is scheduled."""
    state = changed(started(), ask(editor=15, mode=LATER), "2026-04-16")
    ending = replace(state, scheduled=(ScheduledChange(UUID(int=9), CancelAtRenewal()),))
    forecast = renewal_forecast(state)

    assert forecast is not None
    assert forecast.total == money("175.00")
    assert renewal_forecast(ending) is None
