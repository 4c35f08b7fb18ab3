"""What the rules are asked for each kind of case. Nothing is computed here: values go in, amounts come
out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.billing import renewals
from app.billing.arrears import Segment, usage_line
from app.billing.changes import Quote, decide
from app.billing.charges import Charging
from app.billing.credits import capped
from app.billing.documents import Totals, totals_of
from app.billing.ledger import BalanceKind, Delta, EventSource, Holder
from app.billing.lines import LineKind
from app.billing.money import Currency, Money, total
from app.billing.periods import Granularity, Grid, Period, Share, local_day, share_of
from app.billing.plans import ChangeTiming, ChargingBasis, PricingModel, ProrationMode, SeatPrice
from app.billing.state import State, after
from app.billing.subscriptions import midnight_of
from app.billing.taxes import TaxCategory, TaxTreatment, tax_in
from app.billing.usage import Usage
from tests.builders import EDITOR, ask, ids, instant, plan_price, seat_price, started, unstarted
from tests.published.cases import Found, Given, Malformed, as_money

APRIL: Final = Period(instant("2026-04-01"), instant("2026-05-01"), "UTC")
LINE: Final = started().lines[0].line
OLD, NEW = "old", "new"
STRATEGIES: Final = {
    "PRORATED": ChargingBasis.PRORATED,
    "PRORATED_INCREASES": ChargingBasis.INCREASES,
    "PEAK": ChargingBasis.PEAK,
    "ACTIVE": ChargingBasis.ACTIVE,
}


def prorate(given: Given) -> Found:
    """A charge for a quantity and a share of a full period."""
    if "days" in given:
        share, period = Share(*given.share()), APRIL
    else:
        period = given.period("part")
        share = share_of(period, given.period("period"), given.granularity)
    if not share.denominator:
        raise Malformed("the period is empty")
    seat = seat_price(str(given.decimal("unit_amount")))
    return {"amount": text(charged(seat, given.whole("quantity"), given.currency, period, share))}


def change(given: Given) -> Found:
    """A change from one plan to another, decided on a subscription that was billed in advance."""
    at, state = state_to_change(given)
    mode = ProrationMode(given.text("mode", *(mode.value for mode in ProrationMode)))
    seats = given.part("to").whole("quantity")
    quote = decide(state, ask(plan=NEW, mode=mode, timing=ChangeTiming.NOW, editor=seats), at)
    assert isinstance(quote, Quote), quote
    lines = quote.posting.lines
    credit = total((line.amount for line in lines if line.reverses), given.currency)
    charge = total((line.amount for line in lines if not line.reverses), given.currency)
    return {"credit": text(credit), "charge": text(charge), "net": text(credit + charge)}


def state_to_change(given: Given) -> tuple[datetime, State]:
    """A subscription on the plan `from` whose period is the given one, with the plan `to` on offer; and when
    it changes. The next period starts the grid anew, so that the given one may have any length.
    """
    if "days" in given:
        remaining, days = given.share()
        period = Period(APRIL.start, APRIL.start + timedelta(days=days), "UTC")
        at, granularity = period.end - timedelta(days=remaining), Granularity.DAY
    else:
        period, at, granularity = given.period("period"), given.instant("at"), given.granularity
    if not period.start <= at <= period.end or not period.length(granularity):
        raise Malformed("the change lies outside the period")
    old, new = (
        plan_price(
            seat_price(str(given.part(side).decimal("unit_amount"))),
            plan=plan,
            currency=given.currency.code,
            granularity=granularity,
        )
        for plan, side in ((OLD, "from"), (NEW, "to"))
    )
    state = unstarted(old, new, zone=period.zone)
    subscription = replace(
        state.subscription,
        period=period,
        full_period=period,
        priced_from=period.start,
        overage_until=period.start,
        anchor=midnight_of(period.end, period.zone),
        month=-old.interval.months,
    )
    state = replace(state, subscription=subscription)
    first = renewals.start(state, period.start, {EDITOR: given.part("from").whole("quantity")})
    return at, after(state, first, ids(state))


def periods(given: Given) -> Found:
    """The first boundaries of a grid."""
    return {"boundaries": [moment(given, grid_of(given).boundary(k)) for k in range(given.whole("count"))]}


def period_at(given: Given) -> Found:
    """The period of a grid that holds an instant."""
    grid = grid_of(given)
    period = grid.period(grid.index_at(given.instant("at")))
    return {"period": [moment(given, period.start), moment(given, period.end)]}


def grid_of(given: Given) -> Grid:
    """The grid of an anchor: a local midnight, or the wall-clock time of an instant."""
    anchor, zone = given.instant("anchor"), given.zone
    wall = anchor.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if given.is_day("anchor"):
        wall = datetime.combine(local_day(anchor, zone), time.min)
    return Grid(wall, given.step(), zone)


def moment(given: Given, at: datetime) -> str:
    """A boundary as the anchor is written: a local day, or an instant."""
    if given.is_day("anchor"):
        return local_day(at, given.zone).isoformat()
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def price(given: Given) -> Found:
    """A full period of each quantity."""
    seat = seat_priced(given)
    quantities = [Given({"quantity": each}, given.currency) for each in given.list("quantities")]
    amounts = (charged(seat, seat.purchased(each.whole("quantity")), given.currency) for each in quantities)
    return {"amounts": [text(amount) for amount in amounts]}


def seat_priced(given: Given) -> SeatPrice:
    """The price of seats that a case describes; free units are included seats."""
    model = PricingModel(given.text("model", *(model.value.lower() for model in PricingModel)).upper())
    if model is PricingModel.PACKAGE:
        step = (None, "0", str(given.decimal("package_amount")))
        size, free = given.whole("package_size"), given.whole("free_units", 0)
        return seat_price("0", EDITOR, step, model=model, package_size=size, included=free)
    steps = [
        (
            None if tier["up_to"] is None else tier.whole("up_to"),
            str(tier.decimal("unit_amount", "0")),
            str(tier.decimal("flat_amount", "0")),
        )
        for tier in given.parts("tiers")
    ]
    return seat_price("0", EDITOR, *steps, model=model)


def credit_cap(given: Given) -> Found:
    """What may be given back of an unused amount."""
    left = given.money("paid") - given.money("already_credited")
    return {"credit": text(capped(given.money("unused"), left=left))}


def usage(given: Given) -> Found:
    """The line of a full period in arrears, from the seats in use."""
    period = given.period("period")
    if not period.length(given.granularity):
        raise Malformed("the period is empty")
    basis = STRATEGIES[given.text("strategy", *STRATEGIES)]
    seat = replace(seat_price(str(given.decimal("unit_amount"))), basis=basis)
    version = plan_price(seat, currency=given.currency.code, granularity=given.granularity)
    used = Usage(given.whole("opening"), events=tuple(seats_in_use(given, basis)))
    segment = Segment(EDITOR, version.id, period, full=period, opened=period.start)
    line = usage_line(segment, version, used, LINE.tax, 0)
    return {"amount": text(line.amount if line else Money.zero(given.currency))}


def seats_in_use(given: Given, basis: ChargingBasis) -> Iterator[Delta]:
    """The ledger's events in their order. Where people are counted, everybody who comes is somebody new."""
    moved = [
        (Given({**each.values, "timezone": given.zone}, given.currency)) for each in given.parts("events")
    ]
    for place, event in enumerate(sorted(moved, key=lambda each: each.instant("at"))):
        net, at = event.signed("delta"), event.instant("at")
        if basis is ChargingBasis.ACTIVE and net > 0:
            for number in range(net):
                holder = Holder(f"{place}.{number}")
                yield Delta(EDITOR, BalanceKind.IN_USE, 1, 0, at, EventSource.REPORT, holder)
        else:
            yield Delta(EDITOR, BalanceKind.IN_USE, max(0, net), max(0, -net), at, EventSource.REPORT)


def tax(given: Given) -> Found:
    """The tax of lines: of each as if it stood alone, or of all of them on one document."""
    treatment = TaxTreatment(TaxCategory.STANDARD, given.decimal("rate_percent"), "Tax")
    amounts = [as_money("lines", line, given.currency) for line in given.list("lines")]
    whole = total(amounts, given.currency)
    by_line = given.text("level", "line", "invoice") == "line"
    bases = amounts if by_line else [whole]
    if given["inclusive"]:
        taxes = [tax_in(base, treatment.rate) for base in bases]
        due = whole
    else:
        taxes = [on_document(base, treatment).tax for base in bases]
        due = whole + total(taxes, given.currency)
    sums: Found = {"tax": text(total(taxes, given.currency)), "total": text(due)}
    return sums | {"line_tax": [text(each) for each in taxes]} if by_line else sums


def balance(given: Given) -> Found:
    """How far a credit reaches over invoices, in their order."""
    credit, applied, due = given.money("credit"), [], []
    for invoice in given.list("invoices"):
        totals = on_document(as_money("invoices", invoice, given.currency), LINE.tax, credit)
        credit = credit - totals.credit_applied
        applied.append(text(totals.credit_applied))
        due.append(text(totals.amount_due))
    return {"applied": applied, "due": due, "left": text(credit)}


def on_document(amount: Money, treatment: TaxTreatment, credit: Money | None = None) -> Totals:
    """The totals of a document with one line of an amount."""
    return totals_of([replace(LINE, amount=amount, tax=treatment)], credit or Money.zero(amount.currency))


def charged(
    seat: SeatPrice, quantity: int, currency: Currency, period: Period = APRIL, share: Share | None = None
) -> Money:
    """The amount of the line that charges a billed quantity; nothing if there is no line."""
    version = plan_price(seat, currency=currency.code)
    line = Charging(version, period, share, LINE.tax, 0).quantity(LineKind.PERIOD, seat, quantity)
    return line.amount if line else Money.zero(currency)


def text(amount: Money) -> str:
    """An amount in the digits of its currency."""
    return f"{amount.amount:f}"


ADAPTERS: Final[Mapping[str, Callable[[Given], Found]]] = {
    "prorate": prorate,
    "change": change,
    "periods": periods,
    "period_at": period_at,
    "price": price,
    "credit_cap": credit_cap,
    "usage": usage,
    "tax": tax,
    "balance": balance,
}
"""By the kind of a case."""
