"""The enums of billing as the schema shows them: the same classes, with a sentence for each value. A value
without a sentence, or a sentence without a value, is a bug that shows when this module is imported.
"""

from enum import Enum
from typing import TypeVar

import strawberry

from app.billing.documents import InvoiceStatus
from app.billing.ledger import BalanceKind, EventSource
from app.billing.lines import LineKind
from app.billing.outlooks import Outlook
from app.billing.payments import OnPaymentFailure
from app.billing.periods import BillingInterval
from app.billing.permissions import Role
from app.billing.plans import ChangeTiming, ChargingBasis, PricingModel, ProrationMode
from app.billing.subscriptions import SubscriptionStatus
from app.billing.taxes import TaxCategory

__all__ = [
    "BalanceKind",
    "BillingInterval",
    "ChangeTiming",
    "ChargingBasis",
    "EventSource",
    "InvoiceStatus",
    "LineKind",
    "OnPaymentFailure",
    "Outlook",
    "PricingModel",
    "ProrationMode",
    "Role",
    "SubscriptionStatus",
    "TaxCategory",
]

EnumT = TypeVar("EnumT", bound=type[Enum])


def described(members: EnumT, sentence: str, /, *, name: str | None = None, **values: str) -> EnumT:
    """Make an enum known to the schema, with a sentence for it and one for each value."""
    missing = {member.name for member in members}.symmetric_difference(values)
    assert not missing, f"{members.__name__}: {', '.join(sorted(missing))}"
    strawberry.enum(members, name=name, description=sentence)
    for value in members.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[value.name]
    return members


described(
    BillingInterval,
    "How long a billing period is, and so how often a subscription renews.",
    MONTH="Periods of one month, counted from the anchor day; a day that a month lacks becomes its last one.",
    QUARTER="Periods of three months.",
    HALF_YEAR="Periods of six months.",
    YEAR="Periods of twelve months.",
)
described(
    OnPaymentFailure,
    "What a change comes to when the customer's payment method declines what is due now.",
    PREVENT_CHANGE="Nothing is changed, and the answer is PaymentDeclined.",
    APPLY_CHANGE="The change is made, and its invoice stays open.",
)
described(
    ProrationMode,
    "What a change charges or gives back on the day it is made. Which modes a customer may choose is up to "
    "the plan, and may differ for increases and decreases.",
    PRORATED_IMMEDIATELY="The share of the price for the days that are left is charged or credited now; the "
    "period goes on.",
    DIFFERENCE_IMMEDIATELY="The full difference of the price is charged or credited now, whatever the day; "
    "the period goes on.",
    FULL_IMMEDIATELY="A new period starts today and is charged in full; nothing of the old one is credited, "
    "unless today is its first day.",
    PRORATED_ON_NEXT_INVOICE="As PRORATED_IMMEDIATELY, but the lines wait for the next document.",
    DO_NOT_BILL="Nothing is charged or credited until the renewal; from then on the new price counts.",
)
described(
    ChangeTiming,
    "When a change takes effect.",
    NOW="At once: seats can be used, and the plan counts, from this moment.",
    AT_RENEWAL="When the next period begins; until then it is a scheduled change that can be cancelled.",
)
described(
    PricingModel,
    "How a number of seats becomes a price for a full period.",
    PER_UNIT="Every seat costs the same.",
    GRADUATED="Each seat costs what the tier says that it falls into.",
    VOLUME="All seats cost what the tier says that their number falls into.",
    PACKAGE="Seats are sold in packs; a pack that is begun is paid whole.",
    STAIRSTEP="One amount for all seats, by the tier that their number falls into.",
)
described(
    ChargingBasis,
    "Which seats are counted, and when they are billed.",
    PURCHASED="Committed seats, billed in advance for each period.",
    OVERAGE="Committed seats in advance; and seats in use above the limit when a month ends, afterwards.",
    PEAK="The most seats that were in use in the period, billed afterwards.",
    PRORATED="Seats in use, each for the days (or seconds) that it was used, billed afterwards.",
    INCREASES="The same for the most seats so far: seats given back stay paid until the period ends.",
    ACTIVE="Every person who held a seat in the period at all, billed afterwards.",
)
described(
    SubscriptionStatus,
    "What a subscription can still do. Tolerate values that you do not know.",
    TRIALING="It is used and not billed yet; the first paid period begins when the trial ends.",
    ACTIVE="It is billed, renews, and can be changed.",
    PAST_DUE="As ACTIVE, and an invoice is past its due day; it is ACTIVE again when that is paid.",
    PAUSED="It is not billed and does not renew, until it is resumed with a new period.",
    ENDED="It is history: nothing is billed any more, and nothing can be changed.",
)
described(
    Outlook,
    "What will become of a change that waits, by what is known today.",
    name="ScheduledOutlook",
    AS_ASKED="It takes effect as it was asked for.",
    RAISED="Fewer seats than are in use were asked for: as many as those stay committed.",
    DROPPED="It is not possible any more, or the subscription ends instead: nothing comes of it.",
)
described(
    BalanceKind,
    "Which of the two balances of a seat metric an event moves.",
    name="SeatBalanceKind",
    COMMITTED="The seats that the customer asked for, included ones counted.",
    IN_USE="The seats that people occupy.",
)
described(
    EventSource,
    "What made an event happen. Tolerate values that you do not know.",
    name="SeatEventSource",
    START="The subscription started with these seats.",
    CHANGE="Somebody changed the plan or the seats.",
    SCHEDULED_CHANGE="A change that had waited took effect at the renewal.",
    REPORT="The product reported, or a member said, that a seat was taken or given back.",
    CORRECTION="An earlier event was wrong: this one takes it back, or says what is right.",
    EQUALISER="An event before a stated total was told late: this one keeps the total true.",
)
described(
    LineKind,
    "Why a line exists. Tolerate values that you do not know.",
    PERIOD="A period, or the rest of its first one, paid in advance.",
    ADDED="Seats that were added inside a period.",
    CHANGED="The rest of a period under another plan, price or quantity.",
    CREDIT="Seats that were given back: a negative amount, computed from the line it reverses.",
    UNUSED="The unused time of a price that another one took the place of, or of a subscription that pauses "
    "or has ended: a negative amount.",
    USAGE="Seats that were in use, billed afterwards.",
    OVERAGE="Seats that were in use above the limit when a month ended.",
    ADJUSTMENT="A late report or a correction of use: what a line should have been, less what was billed.",
    BACKDATED="Seats committed or given up in time that was over when the vendor told of it.",
)
described(
    InvoiceStatus,
    "What became of an invoice: whether something is still due, and if not, why.",
    OPEN="Something is still due.",
    PAID="Nothing is due any more: it was paid, or credit settled it.",
    VOID="It was withdrawn as if never sent; nothing is due.",
    UNCOLLECTIBLE="The seller gave up on it; nothing is due.",
)
described(
    TaxCategory,
    "Why a tax has its rate, in the categories of EN 16931.",
    STANDARD="The seller charges the tax at this rate.",
    REVERSE_CHARGE="The rate is 0 because the buyer accounts for the tax: a business in another EU country.",
    OUTSIDE_SCOPE="The rate is 0 because the sale is outside the scope of the seller's tax.",
)
described(
    Role,
    "What a person is to the customer on this page; it decides what they may see and do.",
    OWNER="May see and do everything.",
    BILLING_ADMIN="May change the plan and the seats, and sees invoices and the credit balance.",
    SEAT_MANAGER="Sees seats and what a change would cost, but neither invoices nor balances of money.",
    VIEWER="Sees everything, invoices included, and changes nothing.",
)
