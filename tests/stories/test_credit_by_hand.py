"""Credit notes that the seller writes by hand: within what is left, under the tax of the lines, once."""

from __future__ import annotations

from app.api.ids import Kind, decode_as
from app.billing.documents import VoidReason
from app.billing.money import CURRENCIES, Money
from app.billing.refusals import InvalidInput, NotFound
from app.services.explain_line import Explanation, explain_line
from app.services.void_invoice import InvoiceVoided
from app.services.write_credit_note import CreditNoteWritten, CreditRefusal, CreditWanted, write_credit_note
from app.store import lines
from app.store.ids import new_id
from tests.portal import VENDOR, Portal
from tests.stories.diary import GERMAN, Diary
from tests.stories.page import Paper
from tests.stories.test_voided import balance, sound, voided


async def credited(
    diary: Diary, paper: Paper, amount: str | None = None, *, currency: str = "USD", reason: str = "sorry"
) -> CreditNoteWritten | CreditRefusal:
    """What became of the wish to credit something of an invoice."""
    id = decode_as(Kind.INVOICE, paper.id)
    assert id is not None
    money = Money.of(amount, CURRENCIES[currency]) if amount else None
    wanted = CreditWanted(id, reason, money)
    return await diary.portal.store.run(diary.customer, write_credit_note, VENDOR, wanted)


async def test_a_credit_first_takes_off_what_is_due(portal: Portal, database_url: str) -> None:
    """With the tax of its lines; what is above it is added to the balance, and the note says why."""
    globex = await Diary.opened(
        portal, "2026-04-01", currency="EUR", zone="Europe/Berlin", details=GERMAN, name="globex"
    )
    await globex.starts("simple", editor=10)
    (invoice,) = await globex.invoices()
    assert invoice.total == "119.00"

    assert isinstance(
        await credited(globex.on("2026-04-10"), invoice, "20.00", currency="EUR"), CreditNoteWritten
    )

    (note,) = await globex.credit_notes()
    assert (note.lines, note.descriptions) == (["−20.00 EUR = -20.00"], ["sorry"])
    assert (note.total, note.credit_added, note.reverses) == ("-23.80", "0.00", [invoice.number])
    (open_,) = await globex.invoices()
    assert (open_.status, open_.open) == ("OPEN", "95.20")
    await globex.pays(open_)
    assert isinstance(await credited(globex, invoice, currency="EUR"), CreditNoteWritten)  # All that is left.
    assert [each.credit_added for each in await globex.credit_notes()] == ["0.00", "95.20"]
    assert await balance(globex) == "95.20"
    await sound(database_url)


async def test_nothing_is_credited_twice(portal: Portal, database_url: str) -> None:
    """What was taken off by hand is not given back with the seats: credits never exceed the charge."""
    acme = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    (invoice,) = await acme.invoices()
    await acme.pays(invoice)
    assert isinstance(await credited(acme, invoice, "80.00"), CreditNoteWritten)

    change = await acme.on("2026-04-16").changes(editor=0)

    assert change.credit_note is not None
    assert change.credit_note.lines == [
        "−min(10 seats × 10.00 USD × 15/30 days, (100.00 − 80.00) USD) = -20.00"
    ]
    done = await credited(acme, invoice, "0.01")
    assert isinstance(done, InvalidInput)
    assert "0.00 USD before tax is left" in done.message
    await sound(database_url)


async def test_an_amount_is_spread_over_the_lines(portal: Portal, database_url: str) -> None:
    """By what is left of each, to the cent; each piece names its line and is explained."""
    acme = await (await Diary.opened(portal, "2026-04-01")).starts("team", editor=12)
    (invoice,) = await acme.invoices()
    assert len(invoice.lines) == 2  # The base fee and the seats: 99.00 and 105.00.

    done = await credited(acme, invoice, "10.01")

    assert isinstance(done, CreditNoteWritten)
    (note,) = await acme.credit_notes()
    assert note.lines == ["−4.86 USD = -4.86", "−5.15 USD = -5.15"]
    async with portal.store.reads(acme.customer) as scope:
        stored = await scope.run(lines.by_document, [done.document.id], CURRENCIES["USD"])
        for line in stored[done.document.id]:
            told = await scope.run(explain_line, line.id)
            assert isinstance(told, Explanation)
            assert any("taken off by the seller" in step.text for step in told.steps)
    await sound(database_url)


async def test_what_cannot_be_credited(portal: Portal) -> None:
    """More than is left, nothing, something void, without a reason, or of somebody else."""
    acme = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    (invoice,) = await acme.invoices()
    for amount, reason in (
        ("100.01", "x"),
        ("0.00", "x"),
        ("1.00", ""),
        ("1.00", "a\nb"),
        ("1.00", "x" * 201),
    ):
        assert isinstance(await credited(acme, invoice, amount, reason=reason), InvalidInput)
    nothing = CreditWanted(new_id(portal.clock()), "x")
    done = await portal.store.run(acme.customer, write_credit_note, VENDOR, nothing)
    assert done == NotFound("invoice")
    id = decode_as(Kind.INVOICE, invoice.id)
    assert id is not None
    no_line = CreditWanted(id, "x", line=new_id(portal.clock()))
    assert await portal.store.run(acme.customer, write_credit_note, VENDOR, no_line) == NotFound("line")
    assert isinstance(await voided(acme, invoice, VoidReason.WAIVE), InvoiceVoided)
    refused = await credited(acme, invoice, "1.00")
    assert isinstance(refused, InvalidInput)
    assert "is void" in refused.message


async def test_a_subscription_that_has_ended_is_credited_too(portal: Portal, database_url: str) -> None:
    """And stays ended, without further news of that."""
    acme = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    (invoice,) = await acme.invoices()
    await acme.pays(invoice)
    await acme.on("2026-04-16").ends(timing="NOW")

    assert isinstance(await credited(acme, invoice, "5.00"), CreditNoteWritten)

    assert await acme.status() == "ENDED"
    await sound(database_url)
