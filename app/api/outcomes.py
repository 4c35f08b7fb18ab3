"""What the answers of all mutations share: the rows that were written, read anew, and the refusals."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar
from uuid import UUID

from app.api import loaders
from app.api.context import Info
from app.api.ids import Kind
from app.api.ledger import CreditNote, Invoice
from app.api.node import node_id
from app.api.quotes import ChangeQuote, worded
from app.api.refusals import Core, Refusal, refusal_of
from app.api.subscriptions import ScheduledChange, Subscription, scheduled_changes, subscription_by_id
from app.billing import refusals
from app.services.confirming import Confirmed, Offer
from app.store import transaction

AnswerT = TypeVar("AnswerT")


class OfSubscription(Protocol):
    """A fact about a subscription."""

    @property
    def subscription(self) -> UUID: ...


class Told(Protocol):
    """A type of the schema that tells of a fact about a subscription."""

    @property
    def fact(self) -> OfSubscription: ...


class Done(Protocol):
    """A type of the schema that tells of a button that was pressed."""

    @property
    def fact(self) -> Confirmed: ...


async def subscription_now(root: Told, info: Info) -> Subscription:
    """The subscription as it stands after the fact."""
    found = await subscription_by_id(info, root.fact.subscription)
    assert found is not None, "what was changed is there"
    return found


async def scheduled_now(root: Done, info: Info) -> list[ScheduledChange]:
    """The scheduled changes that were made, as long as they wait."""
    found = await info.context.reading.read(loaders.subscription_by_id, root.fact.subscription)
    assert found is not None, "what was changed is there"
    made = {node_id(Kind.SCHEDULED_CHANGE, id) for id in root.fact.scheduled}
    return [change for change in await scheduled_changes(info, found) if change.id in made]


async def invoice_made(root: Done, info: Info) -> Invoice | None:
    """The invoice that was made."""
    id = root.fact.invoice
    found = await info.context.reading.each(loaders.documents_by_id, id) if id else None
    return Invoice.of(found) if found else None


async def credit_note_made(root: Done, info: Info) -> CreditNote | None:
    """The credit note that was made."""
    id = root.fact.credit_note
    found = await info.context.reading.each(loaders.documents_by_id, id) if id else None
    return CreditNote.of(found.document) if found else None


async def quoted(info: Info, offer: Offer) -> ChangeQuote:
    """An offer as the schema shows it."""
    return ChangeQuote.of(await info.context.ask(worded, offer))


async def refused(info: Info, no: Core) -> Refusal:
    """The type of a refusal. That each union has the refusals of its service is held by a test."""
    return await refusal_of(no, lambda offer: quoted(info, offer))


async def once(
    known: Callable[[], Awaitable[AnswerT | None]], deed: Callable[[], Awaitable[AnswerT]]
) -> AnswerT | refusals.Busy:
    """What a key did before, by a read and before any lock; else the deed, or that it had no turn."""
    try:
        return await known() or await deed()
    except transaction.Busy as busy:
        return refusals.Busy(busy.retry_after_seconds)
