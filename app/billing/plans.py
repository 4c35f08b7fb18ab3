"""Plans: what each seat metric costs under a price version, and which changes the plan allows.

A `PlanPrice` is one version of one plan at one interval in one currency. It is frozen for ever once it was
billed; a subscription keeps its version until its plan or interval changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import NewType
from uuid import UUID

from app.billing.money import Currency, Money
from app.billing.periods import BillingInterval, Granularity

Item = NewType("Item", str)
"""What a line belongs to: the base fee, or the code of one seat metric."""

BASE_FEE = Item("base_fee")


class PricingModel(Enum):
    """How a quantity becomes an amount; the five models and their formulas are defined in `pricing`."""

    PER_UNIT = "PER_UNIT"
    GRADUATED = "GRADUATED"
    VOLUME = "VOLUME"
    PACKAGE = "PACKAGE"
    STAIRSTEP = "STAIRSTEP"

    @property
    def extends(self) -> bool:
        """Whether added seats can be priced by themselves; else a new quantity is a new price for all of
        them.
        """
        return self in {PricingModel.PER_UNIT, PricingModel.GRADUATED}


class ChargingBasis(Enum):
    """What is counted, and when it is billed.

    In advance, for seats committed: PURCHASED; OVERAGE bills seats in use above the limit besides, month by
    month. In arrears, for seats in use: PEAK the highest level · PRORATED every level for as long as it
    lasted · INCREASES the same over the highest level so far · ACTIVE the people who held a seat at all.
    """

    PURCHASED = "PURCHASED"
    OVERAGE = "OVERAGE"
    PEAK = "PEAK"
    PRORATED = "PRORATED"
    INCREASES = "INCREASES"
    ACTIVE = "ACTIVE"

    @property
    def in_advance(self) -> bool:
        """Whether committed seats are billed before they are used."""
        return self is ChargingBasis.PURCHASED or self is ChargingBasis.OVERAGE

    @property
    def in_arrears(self) -> bool:
        """Whether seats in use are billed after they were used."""
        return self is not ChargingBasis.PURCHASED


class ProrationMode(Enum):
    """What a change charges and gives back today; the rules are in `changes`."""

    PRORATED_IMMEDIATELY = "PRORATED_IMMEDIATELY"
    DIFFERENCE_IMMEDIATELY = "DIFFERENCE_IMMEDIATELY"
    FULL_IMMEDIATELY = "FULL_IMMEDIATELY"
    PRORATED_ON_NEXT_INVOICE = "PRORATED_ON_NEXT_INVOICE"
    DO_NOT_BILL = "DO_NOT_BILL"


class ChangeTiming(Enum):
    """Whether a change takes effect at once or waits for the renewal."""

    NOW = "NOW"
    AT_RENEWAL = "AT_RENEWAL"


@dataclass(frozen=True, slots=True)
class SeatMetric:
    """A type of seat: its code, the label people read, and the word for one of them."""

    code: Item
    label: str
    unit: str = "seat"

    def units(self, count: int) -> str:
        """The word for so many: `seat` or `seats`."""
        return self.unit if count == 1 else f"{self.unit}s"

    def counted(self, count: int) -> str:
        """So many of them: `5 Editor seats`, also where the label itself ends with that word."""
        name, _, last = self.label.rpartition(" ")
        said = name and last.casefold() in {self.unit.casefold(), f"{self.unit}s".casefold()}
        return f"{count} {name if said else self.label} {self.units(count)}"


@dataclass(frozen=True, slots=True)
class Tier:
    """A step of a price: it ends with the unit `up_to` (None: no end). Amounts in major units of the plan's
    currency.
    """

    up_to: int | None
    unit_amount: Decimal
    flat_amount: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class SeatPrice:
    """What a plan charges for one metric in a full period. `package_size` is the seats of a pack, only for
    packages; `overage_amount` the price of one seat above the limit for a month, only for OVERAGE. `listed`
    is the plan's own price where another was agreed with the customer.
    """

    metric: SeatMetric
    basis: ChargingBasis
    model: PricingModel
    tiers: tuple[Tier, ...]
    included: int = 0
    minimum: int = 0
    maximum: int | None = None
    package_size: int = 1
    overage_amount: Decimal | None = None
    listed: SeatPrice | None = None

    @property
    def own(self) -> bool:
        """Whether its amounts are the customer's own and not those of the plan's list."""
        return self.listed is not None and (self.model, self.tiers, self.package_size) != (
            self.listed.model,
            self.listed.tiers,
            self.listed.package_size,
        )

    def billed(self, level: int) -> int:
        """The quantity that is billed for a level of seats: max(level, minimum) − included, not below 0."""
        return max(0, max(level, self.minimum) - self.included)

    def purchased(self, committed: int) -> int:
        """The quantity that is billed in advance; nothing on a basis that bills what was used."""
        return self.billed(committed) if self.basis.in_advance else 0

    def limit(self, committed: int, granted: int) -> int | None:
        """How many seats may be in use; None if any number may, and is billed."""
        return max(committed, self.included) + granted if self.basis.in_advance else None

    @property
    def guarded(self) -> bool:
        """Whether seats in use keep committed seats from going below them: where more may be used than is
        committed, they do not.
        """
        return self.basis is ChargingBasis.PURCHASED


class ChangeGuard(Enum):
    """What holds a change back although the plan has a price for it.

    SEATS_IN_USE: committed seats never fall below the seats in use. Without it they may, and the seats above
    the limit are overage that costs nothing.
    """

    SEATS_IN_USE = "SEATS_IN_USE"


@dataclass(frozen=True, slots=True)
class DirectionPolicy:
    """What a plan allows in one direction; the first mode is the default. `AT_RENEWAL` timing cannot be
    hastened, `NOW` can be put off. `guards` hold decreases back; increases have none to heed.
    """

    modes: tuple[ProrationMode, ...]
    timing: ChangeTiming
    guards: tuple[ChangeGuard, ...] = (ChangeGuard.SEATS_IN_USE,)


@dataclass(frozen=True, slots=True)
class ChangePolicy:
    """What customers may change by themselves, and how it is billed."""

    increase: DirectionPolicy
    decrease: DirectionPolicy


@dataclass(frozen=True, slots=True)
class PlanPrice:
    """A price version of a plan, for one interval in one currency: a base fee and a price for each metric."""

    id: UUID
    plan: str
    plan_name: str
    interval: BillingInterval
    base_fee: Money
    seats: tuple[SeatPrice, ...]
    policy: ChangePolicy
    granularity: Granularity = Granularity.DAY

    @property
    def currency(self) -> Currency:
        return self.base_fee.currency

    def seat(self, metric: str) -> SeatPrice | None:
        """The price of a metric, None if the plan does not have it."""
        return next((price for price in self.seats if price.metric.code == metric), None)

    def guards(self, seat: SeatPrice) -> bool:
        """Whether seats in use keep the committed seats of a metric from going below them."""
        return seat.guarded and ChangeGuard.SEATS_IN_USE in self.policy.decrease.guards

    def yearly(self, amount: Fraction) -> Fraction:
        """The yearly equivalent of an amount for one interval."""
        return amount * 12 / self.interval.months


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of the catalog with the price versions on offer now. Who subscribes for the first time tries it
    for `trial_days`.
    """

    code: str
    name: str
    description: str
    prices: tuple[PlanPrice, ...]
    trial_days: int = 0

    def price(self, interval: BillingInterval, currency: Currency) -> PlanPrice | None:
        return next((p for p in self.prices if p.interval is interval and p.currency == currency), None)
