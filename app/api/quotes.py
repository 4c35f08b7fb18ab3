"""A quote: what a change would do and cost, line by line, with a token that binds it."""

import itertools
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid5

import strawberry

from app.api import summaries
from app.api.documents import Totals
from app.api.enums import ChangeTiming, ProrationMode
from app.api.ids import Kind
from app.api.lines import QuoteLine
from app.api.money import Money
from app.api.node import node_id
from app.api.subscriptions import ScheduledChange, committed_before
from app.billing.changes import renewal_forecast
from app.billing.outlooks import Effect, effects
from app.billing.periods import local_day
from app.billing.reach import credit_lasts_until
from app.billing.state import after
from app.billing.subscriptions import AtRenewal
from app.services import pages
from app.services.confirming import Offer
from app.store.transaction import Tx

PROVISIONAL: Final = UUID("7c0d54a2-6b54-4d63-9d1c-0f6cf6a0b5d1")
"""The namespace of the ids of scheduled changes that exist in a quote alone."""


@dataclass(frozen=True, slots=True)
class Worded:
    """An offer, with the sentence of each of its lines in the customer's language."""

    offer: Offer
    sentences: tuple[str, ...]


def worded(tx: Tx, offer: Offer) -> Worded:
    """Put the lines of an offer into words."""
    lines = (quoted.line for quoted in offer.quote.lines)
    return Worded(offer, tuple(pages.describe(tx, offer.loaded, line) for line in lines))


CREDIT_COVERS_UNTIL: Final = (
    "Until which day the credit balance would pay every invoice in full, if nothing else happens: on this "
    "day the first one has something left to pay. Null when no credit would be in hand, when the "
    "subscription ends before, when the credit outlasts the next 24 renewals, and for roles that see no "
    "money."
)


def _covered(offer: Offer) -> date | None:
    if not offer.shows_credit:
        return None
    state = offer.loaded.state
    until = credit_lasts_until(state, offer.quote.posting)
    return local_day(until, state.subscription.zone) if until else None


def _credit_covers_until(root: "ModeAlternative") -> date | None:
    return _covered(root.offer)


@strawberry.type(description="The same change, done in another way that the plan allows.")
class ModeAlternative:
    """The same change, done in another way."""

    offer: strawberry.Private[Offer]
    proration_mode: ProrationMode = strawberry.field(description="How today is billed.")
    timing: ChangeTiming = strawberry.field(description="When it takes effect.")
    due_now: Totals = strawberry.field(description="What would be invoiced or credited now.")
    credit_added: Money = strawberry.field(
        description="What would join the credit balance; 0 for most changes, and for roles that see no money."
    )
    at_renewal: Totals | None = strawberry.field(
        description="What the next renewal would cost, as far as can be known today; null when nothing "
        "renews."
    )
    credit_covers_until: date | None = strawberry.field(
        resolver=_credit_covers_until, description=CREDIT_COVERS_UNTIL
    )
    token: str = strawberry.field(description="Send it as `quoteToken` to be charged exactly this.")

    @classmethod
    def of(cls, offer: Offer) -> "ModeAlternative":
        quote, locale = offer.quote, offer.loaded.customer.locale
        return cls(
            offer=offer,
            proration_mode=quote.mode,
            timing=quote.timing,
            due_now=Totals.of(quote.due_now, locale),
            credit_added=Money.of(quote.credit_added),
            at_renewal=Totals.of(quote.at_renewal, locale) if quote.at_renewal else None,
            token=offer.token,
        )


@strawberry.type(
    description="What a change would do and cost. Confirmed with its token, it is charged exactly so or not "
    "at all. To a role that sees no money it tells what the change costs, and nothing of the credit balance."
)
class ChangeQuote:
    """What a change would do and cost."""

    token: str = strawberry.field(description="Send it as `quoteToken` of `changePlan`. Opaque.")
    valid_until: datetime = strawberry.field(
        description="Until when the token binds, in real time: 15 minutes, and never past the end of the "
        "period."
    )
    effective_at: datetime = strawberry.field(description="The instant the change is computed for.")
    effective_on: date = strawberry.field(description="The day of that instant, in the customer's time zone.")
    proration_mode: ProrationMode = strawberry.field(
        description="How today is billed; of several metrics, the mode of the first that changes now."
    )
    timing: ChangeTiming = strawberry.field(
        description="NOW when any part of the change takes effect at once."
    )
    lines: list[QuoteLine] = strawberry.field(
        description="Every line that would be due now, earlier ones that waited among them, then those that "
        "would wait; empty when nothing is billed before the renewal."
    )
    due_now: Totals = strawberry.field(
        description="What would be invoiced or credited now; all 0 when nothing is. Negative totals are a "
        "credit."
    )
    credit_added: Money = strawberry.field(
        description="What would join the credit balance: a credit that open invoices do not use up; 0 for "
        "roles that see no money."
    )
    credit_covers_until: date | None = strawberry.field(description=CREDIT_COVERS_UNTIL)
    at_renewal: Totals | None = strawberry.field(
        description="What the next renewal would cost, as far as can be known today; null when nothing "
        "renews."
    )
    renews_on: date | None = strawberry.field(
        description="The day of that renewal, in the customer's time zone; null when nothing renews."
    )
    scheduled: list[ScheduledChange] = strawberry.field(
        description="The parts that would wait for the renewal. Their ids are provisional: they name "
        "nothing until the change is confirmed, which gives them others."
    )
    summary: str = strawberry.field(
        description="All of it in a few sentences: `5 Editor seats more from today: 37.50 USD now, then "
        "324.00 USD from 1 May 2026 (before: 249.00 USD).`"
    )
    alternatives: list[ModeAlternative] = strawberry.field(
        description="The change in every way that the plan allows, this one too, at most six; each has its "
        "own token."
    )

    @classmethod
    def of(cls, shown: Worded) -> "ChangeQuote":
        offer, quote = shown.offer, shown.offer.quote
        state, customer = offer.loaded.state, offer.loaded.customer
        zone, at = state.subscription.zone, quote.posting.at
        before, covered = renewal_forecast(state), _covered(offer)
        return cls(
            token=offer.token,
            valid_until=offer.valid_until,
            effective_at=at,
            effective_on=local_day(at, zone),
            proration_mode=quote.mode,
            timing=quote.timing,
            lines=[
                QuoteLine.of(quoted.line, sentence, waits=quoted.waits)
                for quoted, sentence in zip(quote.lines, shown.sentences, strict=True)
            ],
            due_now=Totals.of(quote.due_now, customer.locale),
            credit_added=Money.of(quote.credit_added),
            credit_covers_until=covered,
            at_renewal=Totals.of(quote.at_renewal, customer.locale) if quote.at_renewal else None,
            renews_on=local_day(quote.renews_at, zone) if quote.renews_at else None,
            scheduled=_scheduled(offer),
            summary=summaries.quote(quote, state, offer.loaded.catalog, before, covered),
            alternatives=[ModeAlternative.of(other) for other in offer.alternatives],
        )


def _scheduled(offer: Offer) -> list[ScheduledChange]:
    """The changes that would wait, with what each would do at the renewal."""
    posting = offer.quote.posting
    ids = itertools.count(1)
    changed = after(offer.loaded.state, posting, lambda: UUID(int=next(ids)))
    found = effects(changed)
    made = changed.scheduled[len(changed.scheduled) - len(posting.scheduled) :]
    return [_would_wait(waiting.change, found[waiting.id], offer) for waiting in made]


def _would_wait(change: AtRenewal, effect: Effect, offer: Offer) -> ScheduledChange:
    """A change that would wait. Its id is made of what it is, so that the same preview shows the same."""
    quote, state, catalog = offer.quote, offer.loaded.state, offer.loaded.catalog
    price, ends_on = quote.posting.price, quote.posting.subscription.period.end_day
    old = next((waiting.change for waiting in quote.replaces if waiting.change.target == change.target), None)
    name = f"{state.subscription.id} {quote.posting.at.isoformat()} {change}"
    return ScheduledChange(
        id=node_id(Kind.SCHEDULED_CHANGE, uuid5(PROVISIONAL, name)),
        effective_on=ends_on,
        summary=summaries.scheduled(
            change, ends_on, price, catalog, committed_before(change, dict(state.levels))
        ),
        replaces=summaries.target(old, price, catalog) if old else None,
        outlook=effect.outlook,
        renewal_difference=Money.of(effect.difference),
    )
