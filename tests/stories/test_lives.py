"""The life of a subscription: tried, paid, to end and kept after all, paused, overdue, ended, begun anew."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.billing.periods import BillingInterval
from app.services.start_subscription import StartSubscription
from app.store.tables import outbox
from app.store.transaction import Tx
from tests.portal import Portal
from tests.stories import page
from tests.stories.diary import Diary

TWO_WEEKS = 14


async def subscription(diary: Diary) -> dict[str, Any]:
    """The subscription as the page shows it."""
    return dict((await diary.page())["subscription"])


async def happened(diary: Diary) -> list[str]:
    """What the vendor was told of the subscription's life, in order."""
    lives = (outbox.c.customer_id == diary.customer, outbox.c.type.like("subscription.%"))
    query = select(outbox.c.type).where(*lives).order_by(outbox.c.created_at, outbox.c.id)

    def read(tx: Tx) -> list[str]:
        return list(tx.connection.execute(query).scalars())

    async with diary.portal.store.reads(diary.customer) as scope:
        return await scope.run(read)


async def test_a_trial_is_paid_then_to_end_and_kept_after_all(portal: Portal) -> None:
    """Ten editors are tried from 1 to 14 March. Five more on the 5th cost nothing; from the 15th on 150.00 a
    month are due, on the 15th of each month. In April somebody ends it with the period, and in May it would
    be over; on the 2nd of May somebody takes that back, and it renews as if nothing had been said.
    """
    diary = await Diary.opened(portal, "2026-03-01")
    await diary.starts("simple", trial_days=TWO_WEEKS, editor=10)
    trial = await subscription(diary)
    assert (trial["status"], trial["renewsOn"]) == ("TRIALING", "2026-03-15")
    assert (await diary.page())["upcomingInvoice"]["totals"]["total"]["amount"] == "100.00"

    more = await diary.on("2026-03-05").changes(editor="+5")
    assert (more.invoice, more.quote["renewsOn"]) == (None, "2026-03-15")
    assert more.quote["atRenewal"]["total"]["amount"] == "150.00"
    assert await diary.invoices() == []

    await diary.on("2026-03-15").is_billed()
    (first,) = await diary.invoices()
    assert (first.lines, first.days) == (["15 seats × 10.00 USD = 150.00"], ["2026-03-15 – 2026-04-15"])
    await diary.pays(first)
    assert (await subscription(diary))["status"] == "ACTIVE"

    ending = await diary.on("2026-04-20").ends()
    assert (ending.invoice, ending.credit_note, ending.quote["renewsOn"]) == (None, None, None)
    assert [change["summary"] for change in ending.scheduled] == ["Ends on 15 May 2026."]
    assert ending.quote["summary"] == "Nothing now. Ends on 15 May 2026."
    assert (await subscription(diary))["renewsOn"] is None
    assert (await subscription(diary))["seats"][0]["atRenewal"] == 0

    kept = await diary.on("2026-05-02").resumes()
    assert kept.quote["atRenewal"]["total"]["amount"] == "150.00"
    assert (await subscription(diary))["scheduledChanges"] == []
    await diary.on("2026-05-15").is_billed()
    assert [invoice.issued_on for invoice in await diary.invoices()] == [
        "2026-03-15",
        "2026-04-15",
        "2026-05-15",
    ]
    assert await happened(diary) == [
        "subscription.trial_started",
        "subscription.plan_changed",
        "subscription.plan_changed",
        "subscription.active",
        "subscription.renewed",
        "subscription.renewed",
    ]


async def test_an_end_now_credits_the_rest_and_another_begins(portal: Portal) -> None:
    """Ten editors, 100.00 for April, paid. Ended on the 16th the page shows 50.00 before the button is
    pressed, and 50.00 come back to the balance. In June a new subscription starts with three editors, and no
    more are committed: 30.00, which the balance pays.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    (april,) = await diary.invoices()
    await diary.pays(april)
    await diary.on("2026-04-10").changes(viewer="+3")

    end = await diary.on("2026-04-16").ends(timing="NOW")

    assert end.credit_note
    assert "−10 seats × 10.00 USD × 15/30 days = -50.00" in end.credit_note.lines
    assert end.quote["summary"].startswith("No subscription any more from today: a credit of 53.00 USD now")
    assert [way["timing"] for way in end.quote["alternatives"]] == ["NOW", "AT_RENEWAL"]
    ended = await subscription(diary)
    assert (ended["status"], ended["renewsOn"]) == ("ENDED", None)
    assert ended["period"] == {"startsOn": "2026-04-01", "endsOn": "2026-04-16"}
    assert [balance["committed"] for balance in (await diary.page())["seatBalances"]] == [0, 0]
    assert (await diary.page())["upcomingInvoice"] is None
    refusal = await diary.is_refused(editor=11)
    assert refusal["__typename"] == "SubscriptionNotActive"

    await diary.on("2026-06-01").starts("simple", editor=3)
    newest = (await diary.invoices())[-1]
    assert (newest.lines, newest.amount_due) == (["3 seats × 10.00 USD = 30.00"], "0.00")
    assert [seats["committed"] for seats in (await subscription(diary))["seats"]] == [3, 0]


async def test_a_pause_and_the_way_back(portal: Portal) -> None:
    """Paid for April and paused on the 16th: 50.00 come back, and for two months nothing is billed, while
    people go on using seats. Resumed on 10 June the next month costs 100.00, of which the balance pays half,
    and from then on the 10th is the day.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    (april,) = await diary.invoices()
    await diary.pays(april)

    assert await diary.on("2026-04-16").is_paused() == Decimal("50.00")
    assert await diary.status() == "PAUSED"
    await diary.on("2026-05-20").reports(total=4)
    assert await diary.is_billed() == []
    paused = await diary.page()
    assert (len(await diary.invoices()), paused["upcomingInvoice"]) == (1, None)
    assert [seats["committed"] for seats in paused["subscription"]["seats"]] == [10, 0]
    assert (await diary.is_refused(editor=11))["__typename"] == "SubscriptionNotActive"

    back = await diary.on("2026-06-10").resumes()

    assert back.quote["summary"].startswith("A new period from today: 100.00 USD now (50.00 USD of it from")
    assert back.invoice
    assert (back.invoice.lines, back.invoice.days, back.invoice.amount_due) == (
        ["10 seats × 10.00 USD = 100.00"],
        ["2026-06-10 – 2026-07-10"],
        "50.00",
    )
    assert (await diary.status(), (await subscription(diary))["renewsOn"]) == ("ACTIVE", "2026-07-10")
    assert await happened(diary) == [
        "subscription.active",
        "subscription.plan_changed",
        "subscription.paused",
        "subscription.resumed",
    ]


async def test_an_invoice_past_its_due_day_makes_it_past_due(portal: Portal) -> None:
    """The invoice of 1 April is due on the 15th, in the seller's Berlin. On that day all is well; on the 16th
    the subscription is past due, and still can be changed; once the money is there it is active again.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    (april,) = await diary.invoices()
    assert await diary.on("2026-04-15", "17:59").status() == "ACTIVE"
    assert await diary.on("2026-04-15", "18:00").status() == "PAST_DUE"

    more = await diary.on("2026-04-16").changes(editor="+2")
    assert more.invoice
    await diary.pays(april)
    assert await diary.status() == "ACTIVE"
    assert await diary.on("2026-05-02").status() == "PAST_DUE"


async def test_a_cancelled_trial_ends_by_itself(portal: Portal) -> None:
    """Two weeks are tried; on the third day somebody has seen enough. The seats stay until the trial ends,
    nothing is ever billed, and a second subscription begins without another trial.
    """
    diary = await Diary.opened(portal, "2026-03-01")
    await diary.starts("simple", trial_days=TWO_WEEKS, editor=10)
    end = await diary.on("2026-03-03").ends()

    assert end.quote["summary"] == "Nothing now. Ends on 15 March 2026."
    assert await diary.on("2026-03-14").status() == "TRIALING"
    await diary.on("2026-03-15").is_billed()
    assert (await diary.status(), await diary.invoices()) == ("ENDED", [])


async def test_one_press_ends_once(portal: Portal) -> None:
    """The same key again gives the same answer and no second credit note; for another request it is
    refused, and so is the end of what has ended.
    """
    diary = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    sent = {"subscriptionId": diary.subscription, "timing": "NOW", "idempotencyKey": "the end"}
    diary.on("2026-04-16")

    first = (await portal.ask(diary.token, page.END, input=sent))["cancelSubscription"]
    again = (await portal.ask(diary.token, page.END, input=sent))["cancelSubscription"]
    other = await portal.ask(diary.token, page.END, input=sent | {"timing": "AT_RENEWAL"})
    later = await portal.ask(diary.token, page.END, input=sent | {"idempotencyKey": "once more"})

    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["creditNote"]["id"] == first["creditNote"]["id"]
    assert other["cancelSubscription"]["__typename"] == "IdempotencyKeyReused"
    assert later["cancelSubscription"]["__typename"] == "SubscriptionNotActive"
    assert len(await diary.credit_notes()) == 1


async def test_an_end_costs_what_was_shown_or_is_refused(portal: Portal) -> None:
    """Ada is shown 50.00; Ben adds five seats in between. The end with Ada's token gives the fresh quote,
    and nothing has ended; only the invoice of April is past its due day.
    """
    ada = await (await Diary.opened(portal, "2026-04-01")).starts("simple", editor=10)
    ben = await ada.colleague()
    ada.on("2026-04-16", "10:00")
    sent = {"subscriptionId": ada.subscription, "timing": "NOW"}
    shown = (await portal.ask(ada.token, page.PREVIEW_END, input=sent))["previewCancelSubscription"]
    await ben.on("2026-04-16", "10:05").changes(editor="+5")

    sent |= {"quoteToken": shown["token"], "idempotencyKey": "ada"}
    outdated = (await portal.ask(ada.token, page.END, input=sent))["cancelSubscription"]

    assert shown["dueNow"]["total"]["amount"] == "-50.00"
    assert outdated["__typename"] == "QuoteOutdated"
    assert outdated["current"]["dueNow"]["total"]["amount"] == "-75.00"
    assert await ada.status() == "PAST_DUE"


async def test_a_customer_has_one_live_subscription(portal: Portal) -> None:
    """While one is tried, paused or to end, no other one starts."""
    diary = await Diary.opened(portal, "2026-03-01")
    await diary.starts("simple", trial_days=TWO_WEEKS, editor=10)
    request = StartSubscription("simple", BillingInterval.MONTH, (("editor", 1),))

    assert "live subscription" in await portal.start_refused(diary.customer, request)
    await diary.on("2026-03-15").is_billed()
    await diary.on("2026-03-20").is_paused()
    assert "live subscription" in await portal.start_refused(diary.customer, request)
