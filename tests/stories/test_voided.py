"""Invoices that are void: told again on another document, or given up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.api.ids import Kind, decode_as
from app.billing.documents import VoidReason
from app.billing.money import CURRENCIES, Money
from app.billing.refusals import InvalidInput, NotFound
from app.services.doctor import examine
from app.services.record_payment import PaymentRecorded, ReceivedPayment, record_payment
from app.services.void_invoice import InvoiceVoided, VoidInvoice, VoidRefusal, void_invoice
from app.store.ids import new_id
from tests.portal import VENDOR, Portal
from tests.stories.diary import Diary
from tests.stories.page import Paper, nodes

REISSUE, WAIVE = VoidReason.REISSUE, VoidReason.WAIVE
UPCOMING = "{ customer { upcomingInvoice { lines { formula } totals { total { amount } } } } }"
EVENTS = """
query($id: ID!) { invoice(id: $id) { lines { formula events(first: 20) { edges { node { added } } } } } }
"""


async def voided(diary: Diary, paper: Paper, reason: VoidReason) -> InvoiceVoided | VoidRefusal:
    """What became of the wish to void an invoice."""
    id = decode_as(Kind.INVOICE, paper.id)
    assert id is not None
    return await diary.portal.store.run(diary.customer, void_invoice, VENDOR, VoidInvoice(id, reason))


async def why_not(diary: Diary, paper: Paper, reason: VoidReason = WAIVE) -> str:
    """Why an invoice cannot be void."""
    done = await voided(diary, paper, reason)
    assert isinstance(done, InvalidInput), done
    return done.message


async def upcoming(diary: Diary) -> dict[str, Any]:
    """The next invoice as it is foreseen."""
    data = await diary.portal.ask(diary.token, UPCOMING)
    return dict(data["customer"]["upcomingInvoice"])


async def sound(url: str) -> None:
    """The doctor finds nothing to say of the books."""
    report = await examine(url)
    assert report.broken == ()


async def test_a_reissued_invoice_is_told_again_by_the_next(portal: Portal, database_url: str) -> None:
    """Its lines wait and stand on the next document with that one's own; the old document stays as it was,
    and both lead to the events that caused them.
    """
    acme = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    (old,) = await acme.invoices()
    done = await voided(acme.on("2026-04-03"), old, REISSUE)

    assert done == InvoiceVoided(decode_as(Kind.INVOICE, old.id) or new_id(portal.clock()), waiting=1)
    (now,) = await acme.invoices()
    assert (now.status, now.open) == ("VOID", "0.00")
    assert (now.lines, now.total, now.number) == (old.lines, old.total, old.number)
    ahead = await upcoming(acme)
    assert [line["formula"] for line in ahead["lines"]] == ["10 seats × 10.00 USD"] * 2
    await acme.on("2026-05-01").is_billed()
    _, new = await acme.invoices()
    assert new.total == "200.00"
    for paper in (old, new):
        lines = (await portal.ask(acme.token, EVENTS, id=paper.id))["invoice"]["lines"]
        told = [[event["added"] for event in nodes(line["events"])] for line in lines]
        assert told == [[10]] * len(lines)
    await sound(database_url)


async def test_seats_of_a_reissued_line_can_be_given_back(portal: Portal, database_url: str) -> None:
    """The credit comes from the line that waits, once; both stand on the next document."""
    acme = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    (old,) = await acme.invoices()
    assert isinstance(await voided(acme.on("2026-04-02"), old, REISSUE), InvoiceVoided)

    change = await acme.on("2026-04-16").changes(editor=6)

    assert change.invoice is not None
    assert change.invoice.lines == [
        "10 seats × 10.00 USD = 100.00", "−4 seats × 10.00 USD × 15/30 days = -20.00",
    ]  # fmt: skip
    assert change.invoice.total == "80.00"
    assert isinstance(await voided(acme, change.invoice, REISSUE), InvoiceVoided)  # And once more.
    ahead = await upcoming(acme)
    assert ahead["totals"]["total"]["amount"] == "140.00"
    await acme.on("2026-05-01").is_billed()
    assert (await acme.invoices())[-1].total == "140.00"
    await sound(database_url)


async def test_a_waived_period_is_free_and_nothing_of_it_comes_back(
    portal: Portal, database_url: str
) -> None:
    """Seats that are given up give no credit, added ones are charged by themselves, and the next period is
    billed as ever.
    """
    acme = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    (old,) = await acme.invoices()
    assert isinstance(await voided(acme, old, WAIVE), InvoiceVoided)

    more = await acme.on("2026-04-16").changes(editor=12)
    fewer = await acme.changes(editor=5)

    assert more.invoice is not None
    assert more.invoice.total == "10.00"
    assert fewer.credit_note is not None
    assert fewer.credit_note.lines == ["−2 seats × 10.00 USD × 15/30 days = -10.00"]
    await acme.on("2026-05-01").is_billed()
    assert (await acme.invoices())[-1].total == "50.00"
    await sound(database_url)


async def test_credit_that_paid_a_part_goes_back(portal: Portal, database_url: str) -> None:
    """The balance is what it was before the invoice."""
    acme = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    (first,) = await acme.invoices()
    await acme.pays(first)
    await acme.on("2026-04-16").changes(editor=4)
    assert await balance(acme) == "30.00"
    await acme.on("2026-05-01").is_billed()
    renewal = (await acme.invoices())[-1]
    assert (renewal.total, renewal.amount_due) == ("40.00", "10.00")

    assert isinstance(await voided(acme, renewal, WAIVE), InvoiceVoided)

    assert await balance(acme) == "30.00"
    await sound(database_url)


async def balance(diary: Diary) -> str:
    """The credit in hand."""
    data = await diary.portal.ask(diary.token, "{ customer { creditBalance { amount } } }")
    return str(data["customer"]["creditBalance"]["amount"])


async def test_only_an_untouched_open_invoice_is_void(portal: Portal) -> None:
    """Not one that was paid, even in part, or credited, even by a line that waits, nor twice; nor somebody
    else's.
    """
    acme = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    other = await (await Diary.opened(portal, "2026-04-01", name="globex")).starts("simple", editor=10)
    (first,), (theirs,) = await acme.invoices(), await other.invoices()
    assert await voided(acme, theirs, WAIVE) == NotFound("invoice")
    id = decode_as(Kind.INVOICE, first.id)
    assert id is not None
    part = ReceivedPayment(id, Money(100, CURRENCIES["USD"]))
    paid = await portal.store.run(acme.customer, record_payment, VENDOR, part)
    assert isinstance(paid, PaymentRecorded)
    assert "came in" in await why_not(acme, first)
    await acme.pays(first)
    assert "is paid" in await why_not(acme, first)
    await other.on("2026-04-16").changes(editor=8, mode="PRORATED_ON_NEXT_INVOICE")
    assert "was credited" in await why_not(other, theirs, REISSUE)
    await acme.on("2026-05-01").is_billed()
    second = (await acme.invoices())[-1]
    assert isinstance(await voided(acme, second, WAIVE), InvoiceVoided)
    assert "is void" in await why_not(acme, second)


async def test_an_ended_subscription_has_no_next_document(portal: Portal) -> None:
    """What it was billed last can be waived, and not told again."""
    acme = await (await Diary.opened(portal, "2026-04-01")).starts("peak")
    await acme.reports(added=3)
    final = (await acme.on("2026-04-16").ends(timing="NOW")).invoice
    assert final is not None

    assert "has ended" in await why_not(acme, final, REISSUE)
    assert isinstance(await voided(acme, final, WAIVE), InvoiceVoided)


@pytest.mark.parametrize(
    ("reason", "added", "removed"), [(REISSUE, "15.00", "−15.00"), (WAIVE, "15.00", None)]
)
async def test_late_news_of_use_on_a_void_invoice(
    portal: Portal, database_url: str, reason: VoidReason, added: str, removed: str | None
) -> None:
    """What is told late of use that was reissued is adjusted once against the line that waits; of use that
    was waived more is charged, and nothing is given back.
    """
    acme = await (await Diary.opened(portal, "2026-04-01")).starts("fair")
    event = await acme.reports(added=4)
    await acme.on("2026-05-01").is_billed()
    (used,) = await acme.invoices()
    assert used.total == "60.00"
    assert isinstance(await voided(acme.on("2026-05-02"), used, reason), InvoiceVoided)

    await acme.corrects(event, "five, not four", added=5)
    ahead = await upcoming(acme)
    waits = Decimal("60.00") if reason is REISSUE else Decimal(0)
    assert Decimal(ahead["totals"]["total"]["amount"]) >= waits + Decimal(added)
    formulas = [line["formula"] for line in ahead["lines"]]
    assert any(f.endswith("− 60.00 USD") for f in formulas), formulas
    (right,) = [each for each in nodes((await acme.page())["seatEvents"]) if each["added"] == 5]
    await acme.corrects_again(right["id"], "three", added=3)
    formulas = [line["formula"] for line in (await upcoming(acme))["lines"]]
    assert any(f.endswith("− 60.00 USD") for f in formulas) is (removed is not None), formulas
    await acme.on("2026-06-01").is_billed()
    await sound(database_url)
