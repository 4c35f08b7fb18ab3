"""Random cases of every kind, answered beforehand by the format's own formulas in fractions.

They go where the published ones do not: ties on negative amounts, currencies of three digits, shares across
clock changes, the first and the last instant of a period.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import floor
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.published.running import run

DIGITS = {"USD": 2, "JPY": 0, "KWD": 3}
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
CASES_OF_A_KIND = 400
Answered = tuple[dict[str, Any], dict[str, Any]]


def amount(exact: Fraction, currency: str) -> str:
    """Rounded half away from zero, as text."""
    scale = 10 ** DIGITS[currency]
    minor = floor(abs(exact) * scale + Fraction(1, 2))
    whole, rest = divmod(minor, scale)
    sign = "-" if exact < 0 and minor else ""
    return f"{sign}{whole}.{rest:0{DIGITS[currency]}}" if DIGITS[currency] else f"{sign}{whole}"


def a_price(random: Random, currency: str) -> str:
    """A unit price with up to two digits more than the currency."""
    digits = DIGITS[currency] + random.choice((0, 0, 1, 2))
    minor = random.randrange(50 * 10**digits)
    return f"{minor // 10**digits}.{minor % 10**digits:0{digits}}" if digits else str(minor)


def money(random: Random, currency: str, *, negative: bool = False) -> str:
    """An amount of the currency."""
    sign = random.choice((-1, 1)) if negative else 1
    return amount(
        Fraction(sign * random.randrange(300 * 10 ** DIGITS[currency]), 10 ** DIGITS[currency]), currency
    )


def written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def a_period(random: Random) -> tuple[dict[str, Any], Callable[[str], Fraction]]:
    """A period with a cut inside or at its ends; and the share of it after (`rest`) or before the cut."""
    zone, by_day = random.choice(ZONES), random.random() < 0.5
    first = date(2024, 1, 1) + timedelta(days=random.randrange(2400))
    end = first + timedelta(days=random.choice((7, 28, 30, 31, 365)))
    start_at, end_at = midnight(first, zone), midnight(end, zone)
    cut = random.choice((0, 1, random.random(), random.random()))
    cut_at = start_at + timedelta(seconds=round((end_at - start_at).total_seconds() * cut))
    cut_day = cut_at.astimezone(ZoneInfo(zone)).date()
    given = {
        "period": [first.isoformat(), end.isoformat()],
        "granularity": "day" if by_day else "second",
        "timezone": zone,
    }

    def share(side: str) -> Fraction:
        if by_day:
            return Fraction((end - cut_day if side == "rest" else cut_day - first).days, (end - first).days)
        seconds = end_at - cut_at if side == "rest" else cut_at - start_at
        return Fraction(seconds // timedelta(seconds=1), (end_at - start_at) // timedelta(seconds=1))

    return {**given, "cut": written(cut_at)}, share


def prorate(random: Random, currency: str) -> Answered:
    """Price × quantity × share."""
    price, quantity = a_price(random, currency), random.randrange(40)
    if random.random() < 0.3:
        used, of = random.randrange(32), random.choice((30, 31))
        given: dict[str, Any] = {"days": [used, of]}
        share = Fraction(used, of)
    else:
        given, share_of = a_period(random)
        side = random.choice(("rest", "past"))
        share = share_of(side)
        start, end = given["period"]
        cut = given.pop("cut")
        given["part"] = [cut, end] if side == "rest" else [start, cut]
    given |= {"unit_amount": price, "quantity": quantity}
    return given, {"amount": amount(Fraction(price) * quantity * share, currency)}


def change(random: Random, currency: str) -> Answered:
    """The table of modes; a full charge on the first day is left out, where the rules depart."""
    sides: list[dict[str, Any]] = [
        {"unit_amount": a_price(random, currency), "quantity": random.randrange(30)} for _ in range(2)
    ]
    old, new = (Fraction(side["unit_amount"]) * side["quantity"] for side in sides)
    given, share_of = a_period(random)
    given |= {"at": given.pop("cut"), "from": sides[0], "to": sides[1]}
    mode, share = random.choice(tuple(MODES)), share_of("rest")
    first_day = datetime.fromisoformat(given["at"]).astimezone(ZoneInfo(given["timezone"])).date().isoformat()
    if mode == "FULL_IMMEDIATELY" and first_day == given["period"][0]:
        mode = "PRORATED_IMMEDIATELY"
    much = {"share": share, "all": Fraction(1), "nothing": Fraction(0)}
    credit, charge = MODES[mode]
    texts = amount(-old * much[credit], currency), amount(new * much[charge], currency)
    net = amount(Fraction(texts[0]) + Fraction(texts[1]), currency)
    expect = {"credit": texts[0], "charge": texts[1], "net": net}
    return {**given, "mode": mode}, expect


MODES = {
    "PRORATED_IMMEDIATELY": ("share", "share"),
    "DIFFERENCE_IMMEDIATELY": ("all", "all"),
    "FULL_IMMEDIATELY": ("nothing", "all"),
    "DO_NOT_BILL": ("nothing", "nothing"),
}
"""How much of the old price is given back, and of the new one charged."""


def price(random: Random, currency: str) -> Answered:
    """Every unit priced by itself."""
    model = random.choice(("per_unit", "graduated", "volume", "stairstep", "package"))
    quantities = [random.randrange(60) for _ in range(5)]
    if model == "package":
        size, free, each = random.randrange(1, 12), random.choice((0, 0, 5, 20)), a_price(random, currency)
        given = {"package_size": size, "package_amount": each, "free_units": free}
        exact = [len(range(free, quantity, size)) * Fraction(each) for quantity in quantities]
    else:
        bounds = sorted(random.sample(range(1, 50), 0 if model == "per_unit" else random.randrange(4)))
        tiers = [
            {
                "up_to": bound,
                "unit_amount": a_price(random, currency),
                "flat_amount": a_price(random, currency),
            }
            for bound in (*bounds, None)
        ]
        given = {"tiers": tiers}
        exact = [tiered(model, tiers, quantity) for quantity in quantities]
    given |= {"model": model, "quantities": quantities}
    return given, {"amounts": [amount(each, currency) for each in exact]}


def tiered(model: str, tiers: list[dict[str, Any]], quantity: int) -> Fraction:
    """The formulas of the models with tiers."""

    def tier_of(unit: int) -> dict[str, Any]:
        return next(tier for tier in tiers if tier["up_to"] is None or unit <= tier["up_to"])

    flat = Fraction(tier_of(quantity)["flat_amount"])
    if model == "stairstep":
        return flat
    if model == "graduated":
        units = [tier_of(unit) for unit in range(1, quantity + 1)]
        entered = [tier for tier in tiers if tier is tiers[0] or any(tier is each for each in units)]
        flats = sum((Fraction(tier["flat_amount"]) for tier in entered), Fraction(0))
        return flats + sum((Fraction(tier["unit_amount"]) for tier in units), Fraction(0))
    return quantity * Fraction(tier_of(quantity)["unit_amount"]) + (flat if model == "volume" else 0)


def credit_cap(random: Random, currency: str) -> Answered:
    """max(0, min(unused, paid − already credited))."""
    names = ("unused", "paid", "already_credited")
    given = {name: money(random, currency) for name in names}
    unused, paid, credited = (Fraction(given[name]) for name in names)
    return given, {"credit": amount(max(Fraction(0), min(unused, paid - credited)), currency)}


def usage(random: Random, currency: str) -> Answered:
    """Every level weighed by its days, or by its seconds. Nothing happens on the first day."""
    given, _ = a_period(random)
    del given["cut"]
    price, opening, level, events = a_price(random, currency), random.randrange(8), 0, []
    level = opening
    start, end = (midnight(date.fromisoformat(day), given["timezone"]) for day in given["period"])
    hours = range(36, (end - start) // timedelta(hours=1))
    for hour in sorted(random.choices(hours, k=random.randrange(6))):
        delta = random.choice([each for each in range(-level, 6) if each])
        level += delta
        events.append((start + timedelta(hours=hour), delta))
    strategy = random.choice(tuple(STRATEGIES))
    seats = STRATEGIES[strategy](levels(given, opening, events), opening, events)
    listed = [{"at": written(at), "delta": delta} for at, delta in events]
    random.shuffle(listed)
    given |= {"strategy": strategy, "unit_amount": price, "opening": opening, "events": listed}
    return given, {"amount": amount(Fraction(price) * seats, currency)}


Events = list[tuple[datetime, int]]
Levels = list[tuple[int, int]]


def levels(given: dict[str, Any], opening: int, events: Events) -> Levels:
    """Each level with the days or seconds that it lasted; the level of a day is the balance at its end."""
    zone, (first, end) = given["timezone"], map(date.fromisoformat, given["period"])
    if given["granularity"] == "day":
        days = [first + timedelta(days=n) for n in range((end - first).days)]
        came = [(at.astimezone(ZoneInfo(zone)).date(), delta) for at, delta in events]
        return [(opening + sum(delta for on, delta in came if on <= day), 1) for day in days]
    cuts = [midnight(first, zone), *(at for at, _ in events), midnight(end, zone)]
    return [
        (opening + sum(delta for at, delta in events if at <= since), int((until - since).total_seconds()))
        for since, until in pairwise(cuts)
    ]


def weighed(found: Levels) -> Fraction:
    return Fraction(sum(level * units for level, units in found), sum(units for _, units in found))


def highest(found: Levels) -> int:
    return max(level for level, units in found if units)


STRATEGIES: dict[str, Callable[[Levels, int, Events], Fraction]] = {
    "PRORATED": lambda found, _opening, _events: weighed(found),
    "PRORATED_INCREASES": lambda found, _opening, _events: weighed(
        [(highest(found[: i + 1]), units) for i, (_, units) in enumerate(found) if units]
    ),
    "PEAK": lambda found, _opening, _events: Fraction(highest(found)),
    "ACTIVE": lambda _found, opening, events: Fraction(opening + sum(max(0, delta) for _, delta in events)),
}


def tax(random: Random, currency: str) -> Answered:
    """Rounded by line or once, on top or inside."""
    lines = [money(random, currency, negative=True) for _ in range(random.randrange(1, 8))]
    rate = random.choice(("5", "7.7", "8.1", "12.5", "19", "20", "25", "50"))
    level, inclusive = random.choice(("line", "invoice")), random.random() < 0.5
    part = Fraction(rate) / ((100 + Fraction(rate)) if inclusive else 100)
    whole = sum(map(Fraction, lines), Fraction(0))
    taxes = [amount(each * part, currency) for each in (map(Fraction, lines) if level == "line" else [whole])]
    tax_sum = sum(map(Fraction, taxes), Fraction(0))
    expect: dict[str, Any] = {
        "tax": amount(tax_sum, currency),
        "total": amount(whole if inclusive else whole + tax_sum, currency),
    }
    given = {"rate_percent": rate, "lines": lines, "level": level, "inclusive": inclusive}
    return given, expect | ({"line_tax": taxes} if level == "line" else {})


def balance(random: Random, currency: str) -> Answered:
    """As much of each invoice as is left."""
    credit, invoices = (
        money(random, currency),
        [money(random, currency) for _ in range(random.randrange(1, 6))],
    )
    left, applied, due = Fraction(credit), [], []
    for invoice in map(Fraction, invoices):
        paid = min(left, invoice)
        left -= paid
        applied.append(amount(paid, currency))
        due.append(amount(invoice - paid, currency))
    return {"credit": credit, "invoices": invoices}, {
        "applied": applied,
        "due": due,
        "left": amount(left, currency),
    }


def boundary(anchor: date, unit: str, count: int) -> date:
    """An anchor so many units later, clamped to the end of a short month."""
    if unit in {"day", "week"}:
        return anchor + timedelta(days=count * (7 if unit == "week" else 1))
    months = anchor.year * 12 + anchor.month - 1 + count * (12 if unit == "year" else 1)
    first = date(months // 12, months % 12 + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(anchor.day, last.day))


def a_grid(random: Random) -> tuple[dict[str, Any], Iterator[str], list[datetime]]:
    """An anchor, a day or an instant at noon, with its first boundaries as text and as instants."""
    zone, noon = random.choice(ZONES), random.random() < 0.5
    anchor = date(2023, 1, 1) + timedelta(days=random.randrange(1500))
    unit, count = random.choice(("day", "week", "month", "year")), random.choice((1, 1, 2, 3, 5))
    days = [boundary(anchor, unit, count * k) for k in range(9)]
    hours = timedelta(hours=12 if noon else 0)
    wall = [datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) + hours for day in days]
    instants = [at.astimezone(UTC) for at in wall]
    texts = [written(at) if noon else day.isoformat() for at, day in zip(instants, days, strict=True)]
    given = {"anchor": texts[0], "interval": {"unit": unit, "count": count}, "timezone": zone}
    return given, iter(texts), instants


def periods(random: Random, currency: str) -> Answered:
    """Always counted from the anchor."""
    given, texts, _ = a_grid(random)
    count = random.randrange(1, 10)
    return {**given, "count": count}, {"boundaries": [text for text, _ in zip(texts, range(count))]}  # noqa: B905


def period_at(random: Random, currency: str) -> Answered:
    """The period around an instant inside, at its first or its last second."""
    given, texts, instants = a_grid(random)
    bounds, k = list(texts), random.randrange(8)
    seconds = (instants[k + 1] - instants[k]) // timedelta(seconds=1)
    at = instants[k] + timedelta(seconds=random.choice((0, seconds - 1, random.randrange(seconds))))
    return {**given, "at": written(at)}, {"period": bounds[k : k + 2]}


KINDS: dict[str, Callable[[Random, str], Answered]] = {
    "prorate": prorate,
    "change": change,
    "price": price,
    "credit_cap": credit_cap,
    "usage": usage,
    "tax": tax,
    "balance": balance,
    "periods": periods,
    "period_at": period_at,
}


@pytest.mark.parametrize("kind", KINDS)
def test_random_cases_pass(kind: str) -> None:
    """400 cases of a kind, each answered beforehand, in currencies of no, two and three digits."""
    random = Random(f"2026 {kind}")
    lines = []
    for number in range(CASES_OF_A_KIND):
        currency = random.choice(tuple(DIGITS))
        given, expect = KINDS[kind](random, currency)
        case = {
            "id": f"{kind}-{number}",
            "kind": kind,
            "currency": currency,
            "given": given,
            "expect": expect,
        }
        lines.append(json.dumps(case))
    report = run(lines)

    assert (report.failed, report.otherwise) == ([], []), [*report.told[:6], lines[0]]
    assert len(report.passed) == CASES_OF_A_KIND
