"""Sentences that put numbers into words for people who decide: what a price is, what a plan allows, what a
change would do. In English; the numbers stand beside them as fields, for pages that write their own.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from app.billing.changes import Quote
from app.billing.documents import Totals
from app.billing.money import Currency, Money, decimal_text, total
from app.billing.parties import Catalog
from app.billing.periods import BillingInterval, local_day
from app.billing.plans import (
    ChangeTiming,
    ChargingBasis,
    DirectionPolicy,
    Item,
    PlanPrice,
    PricingModel,
    ProrationMode,
    SeatMetric,
    SeatPrice,
    Tier,
)
from app.billing.state import State
from app.billing.subscriptions import (
    AtRenewal,
    CancelAtRenewal,
    PlanAtRenewal,
    SeatsAtRenewal,
    SubscriptionStatus,
)
from app.documents.wording import describe_line, format_date, word

LANGUAGE: Final = "en"
A_PERIOD: Final[Mapping[BillingInterval, str]] = {
    BillingInterval.MONTH: "a month",
    BillingInterval.QUARTER: "a quarter",
    BillingInterval.HALF_YEAR: "a half-year",
    BillingInterval.YEAR: "a year",
}
BY_THE: Final[Mapping[BillingInterval, str]] = {
    BillingInterval.MONTH: "billed monthly",
    BillingInterval.QUARTER: "billed quarterly",
    BillingInterval.HALF_YEAR: "billed half-yearly",
    BillingInterval.YEAR: "billed yearly",
}
MORE: Final[Mapping[ProrationMode, str]] = {
    ProrationMode.PRORATED_IMMEDIATELY: "is charged at once for the days that are left",
    ProrationMode.DIFFERENCE_IMMEDIATELY: "is charged at once at the full difference",
    ProrationMode.FULL_IMMEDIATELY: "starts a new period, charged at once in full",
    ProrationMode.PRORATED_ON_NEXT_INVOICE: "is charged for the days that are left on the next invoice",
    ProrationMode.DO_NOT_BILL: "costs nothing until the renewal",
}
LESS: Final[Mapping[ProrationMode, str]] = {
    ProrationMode.PRORATED_IMMEDIATELY: "is credited at once for the days that are left",
    ProrationMode.DIFFERENCE_IMMEDIATELY: "is credited at once at the full difference",
    ProrationMode.FULL_IMMEDIATELY: "starts a new period, charged at once in full, without a credit",
    ProrationMode.PRORATED_ON_NEXT_INVOICE: "is credited for the days that are left on the next invoice",
    ProrationMode.DO_NOT_BILL: "gives nothing back and lowers the price from the renewal on",
}


# ── Prices and policies ─────────────────────────────────────────────────────────────────────────────────────


def seat_price(seat: SeatPrice, version: PlanPrice) -> str:
    """A price in a sentence: `5 included, then 15.00 USD a month for each further seat`."""
    included = f"{seat.included} included, then " if seat.included else ""
    text = f"{included}{_charge(seat, version.currency, A_PERIOD[version.interval])}"
    if not any(tier.unit_amount or tier.flat_amount for tier in seat.tiers):
        text = "free of charge"
    text = f"{text}, as agreed" if seat.own else text
    bounds = [f"at least {seat.minimum} billed"] if seat.minimum else []
    if seat.maximum is not None:
        bounds.append(f"at most {seat.maximum} {seat.metric.units(seat.maximum)}")
    sentence = f"{text}; {', '.join(bounds)}." if bounds else f"{text}."
    return f"{sentence[0].upper()}{sentence[1:]}"


def _charge(seat: SeatPrice, currency: Currency, period: str) -> str:
    further = "further " if seat.included else ""
    first, unit = seat.tiers[0], seat.metric.unit
    match seat.model:
        case PricingModel.PER_UNIT:
            return f"{_price(first.unit_amount, currency)} {period} for each {further}{unit}"
        case PricingModel.PACKAGE:
            pack = f"pack of {seat.package_size} {further}{seat.metric.units(seat.package_size)}"
            return f"{_price(first.flat_amount, currency)} {period} for each {pack} that is begun"
        case PricingModel.GRADUATED:
            return f"each {further}{unit} by the tier it falls into, {period}: {_tiers(seat.tiers, currency)}"
        case PricingModel.VOLUME:
            return (
                f"all {further}{unit}s by the tier of their number, {period}: {_tiers(seat.tiers, currency)}"
            )
        case PricingModel.STAIRSTEP:
            return f"one amount by the number of {further}{unit}s, {period}: {_tiers(seat.tiers, currency)}"


def _tiers(tiers: tuple[Tier, ...], currency: Currency) -> str:
    """`up to 10: 15.00 USD each; above: 12.00 USD each and 20.00 USD`."""
    return "; ".join(
        f"{f'up to {tier.up_to}' if tier.up_to is not None else 'above'}: {_tier(tier, currency)}"
        for tier in tiers
    )


def _tier(tier: Tier, currency: Currency) -> str:
    terms = [f"{_price(tier.unit_amount, currency)} each"] if tier.unit_amount or not tier.flat_amount else []
    terms += [_price(tier.flat_amount, currency)] if tier.flat_amount else []
    return " and ".join(terms)


def policy(increase: DirectionPolicy, decrease: DirectionPolicy) -> str:
    """A policy in two sentences, one for each direction: `A decrease waits for the renewal`; a third where
    seats in use hold nothing back.
    """
    free = "" if decrease.guards else " Seats in use may be given up."
    return f"An increase {_direction(increase, MORE)}. A decrease {_direction(decrease, LESS)}.{free}"


def _direction(direction: DirectionPolicy, words: Mapping[ProrationMode, str]) -> str:
    if direction.timing is ChangeTiming.AT_RENEWAL:
        return "waits for the renewal"
    others = len(direction.modes) - 1
    choice = f", unless one of {others} other modes is chosen" if others > 1 else ""
    return words[direction.modes[0]] + (", unless the other mode is chosen" if others == 1 else choice)


# ── Scheduled changes ───────────────────────────────────────────────────────────────────────────────────────


def scheduled(change: AtRenewal, on: date, price: PlanPrice, catalog: Catalog, committed: int | None) -> str:
    """A change that waits, in a sentence: `From 1 May 2026: 10 Editor seats instead of 15`."""
    if isinstance(change, CancelAtRenewal):
        return f"Ends on {day(on)}."
    instead = f" instead of {committed}" if committed is not None else ""
    return f"From {day(on)}: {target(change, price, catalog)}{instead}."


def target(change: AtRenewal, price: PlanPrice, catalog: Catalog) -> str:
    """What a change leads to: `10 Editor seats`, `Business, billed yearly`, `the end of the subscription`."""
    match change:
        case SeatsAtRenewal(metric, count):
            return seats(count, metric_of(metric, price, catalog))
        case PlanAtRenewal(code, interval):
            plan = catalog.plan(code)
            return f"{plan.name if plan else code}, {BY_THE[interval]}"
        case CancelAtRenewal():
            return "the end of the subscription"


# ── Quotes ──────────────────────────────────────────────────────────────────────────────────────────────────


def quote(offered: Quote, state: State, catalog: Catalog, before: Totals | None, covered: date | None) -> str:
    """What a change would do and cost, in a few sentences.

    :param before: what the renewal would cost without the change
    :param covered: until when the credit in hand pays every document (None: there is nothing to say of it)
    """
    zone = state.subscription.zone
    renews_on = local_day(offered.renews_at, zone) if offered.renews_at else None
    costs = _costs(offered, renews_on, before)
    moves = _turn(offered, state) or ", ".join(_moves(offered, state, catalog))
    sentences = [f"{moves} from today: {costs}." if moves else f"{costs[0].upper()}{costs[1:]}."]
    ends_on = offered.posting.subscription.period.end_day
    sentences += [
        scheduled(change, ends_on, offered.posting.price, catalog, _committed(change, state))
        for change in offered.posting.scheduled
    ]
    if covered is not None:
        sentences.append(_credit(covered, renews_on))
    return " ".join((*sentences, *_replaced(offered, state, catalog)))


def _credit(covered: date, renews_on: date | None) -> str:
    """How far the credit in hand reaches."""
    part = renews_on is None or covered <= renews_on
    return word("credit.part" if part else "credit.covers", LANGUAGE, date=day(covered))


def _committed(change: AtRenewal, state: State) -> int | None:
    return state.level(change.metric).committed if isinstance(change, SeatsAtRenewal) else None


def _turn(offered: Quote, state: State) -> str | None:
    """What a turn of the subscription's life is called; None for a change."""
    status, before = offered.posting.subscription.status, state.subscription.status
    if status is SubscriptionStatus.ENDED:
        return "No subscription any more"
    return "A new period" if before is SubscriptionStatus.PAUSED else None


def _moves(offered: Quote, state: State, catalog: Catalog) -> Iterator[str]:
    """What is different from today on: `Business, billed yearly`, `5 Editor seats more`."""
    price = offered.posting.price
    if price.id != state.price.id:
        yield f"{price.plan_name}, {BY_THE[price.interval]}"
    for event in offered.posting.events:
        words = seats(abs(event.net), metric_of(event.metric, price, catalog))
        yield f"{words} {'more' if event.net > 0 else 'fewer'}"


def _costs(offered: Quote, renews_on: date | None, before: Totals | None) -> str:
    """`37.50 USD now, then 324.00 USD from 1 May 2026 (before: 249.00 USD)`."""
    parts = [_now(offered)]
    waiting = [line.line.amount for line in offered.lines if line.waits]
    if any(amount.minor for amount in waiting):
        later = total(waiting, waiting[0].currency)
        parts.append(f"{_owed(later)} before tax on the next document")
    if offered.at_renewal is not None and renews_on is not None:
        was = f" (before: {before.total})" if before and before.total != offered.at_renewal.total else ""
        same = " as before" if before and not was else ""
        parts.append(f"then {offered.at_renewal.total} from {day(renews_on)}{same}{was}")
    return ", ".join(parts)


def _now(offered: Quote) -> str:
    due = offered.due_now
    if due.total.minor < 0:
        to_balance = (
            f", {offered.credit_added} of it to the credit balance" if offered.credit_added.minor else ""
        )
        return f"a credit of {-due.total} now{to_balance}"
    if not due.total.minor:
        return "nothing now"
    credit = f" ({due.credit_applied} of it from the credit balance)" if due.credit_applied.minor else ""
    return f"{due.total} now{credit}"


def _owed(amount: Money) -> str:
    return f"a credit of {-amount}" if amount.minor < 0 else str(amount)


def _replaced(offered: Quote, state: State, catalog: Catalog) -> Iterator[str]:
    """What no longer waits: scheduled changes that the new one takes the place of, or ends."""
    if offered.posting.settled and not offered.posting.renews:
        old = _listed(target(waiting.change, state.price, catalog) for waiting in offered.posting.settled)
        yield f"The change that waited for the renewal is dropped: {old}."


# ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────


def day(on: date) -> str:
    """`1 May 2026`."""
    return format_date(on, LANGUAGE)


def seats(count: int, metric: SeatMetric) -> str:
    """`5 Editor seats`."""
    return describe_line(
        "PERIOD", locale=LANGUAGE, plan="", metric=metric.label, unit=metric.unit, quantity=count
    )


def metric_of(code: Item, price: PlanPrice, catalog: Catalog) -> SeatMetric:
    """A metric by the words of the price version, else of the catalog."""
    seat = price.seat(code)
    return seat.metric if seat else catalog.metric(code) or SeatMetric(code, code)


def _listed(words: Iterable[str]) -> str:
    return "; ".join(words)


def _price(amount: Decimal, currency: Currency) -> str:
    return f"{decimal_text(amount, currency)} {currency}"


def released(metric: SeatMetric, basis: ChargingBasis | None, committed: int) -> str:
    """What a seat that somebody gave back means for the bill.

    :param basis: how such seats are charged; None where they are not
    """
    many = metric.counted(2).removeprefix("2 ")
    if basis is None:
        return f"No {many} are billed."
    if basis is ChargingBasis.PRORATED:
        return f"{many} are billed by the days they are in use: one less from now on."
    if not basis.in_advance:
        stays = "What this period has seen stays billed; from the next one on it is one less."
        return f"{many} are billed by use. {stays}"
    verb, stay = ("is", "stays") if committed == 1 else ("are", "stay")
    paid = f"{metric.counted(committed)} {verb} committed and {stay} paid"
    if basis is ChargingBasis.OVERAGE:
        return f"{paid}; what is in use above the limit is billed by use."
    return f"The bill stays as it is: {paid}. To pay for fewer, remove {metric.units(2)} from the plan."
