"""The catalog file: what it means, and that everything wrong with it is said at once, with its place."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from app.billing.money import CURRENCIES, Money
from app.billing.periods import BillingInterval, Granularity
from app.billing.plans import ChangeTiming, ChargingBasis, PricingModel, ProrationMode, Tier
from app.services.catalog_file import Declared, parse_catalog
from app.services.demo.past import CATALOG
from tests.services.catalogs import SMALL, YEARLY, changed, declared, problems, seats, tiered

PRICE = "plans.team.prices[0]"
SEAT = f"{PRICE}.seats.editor"


def test_a_catalog_says_what_it_says() -> None:
    """Seller, taxes, metrics, plan, price and policy come out as they were written, amounts exactly."""
    catalog = declared()

    assert (catalog.seller.legal_name, catalog.seller.zone) == ("Northwind Software GmbH", "Europe/Berlin")
    assert catalog.seller.bank.iban == "DE89370400440532013000"
    assert catalog.taxes.country == "DE"
    assert [(r.rate, r.starts, r.ends) for r in catalog.taxes.rates] == [
        (Decimal(19), date(2007, 1, 1), None)
    ]
    assert [(m.code, m.label, m.unit) for m in catalog.metrics] == [("editor", "Editor", "seat")]
    price = catalog.plans[0].prices[0]
    assert (price.plan, price.plan_name, price.interval) == ("team", "Team", BillingInterval.MONTH)
    assert price.base_fee == Money(9900, CURRENCIES["USD"])
    assert price.granularity is Granularity.DAY
    seat = price.seats[0]
    assert (seat.model, seat.basis) == (PricingModel.PER_UNIT, ChargingBasis.PURCHASED)
    assert (seat.included, seat.minimum, seat.maximum) == (5, 0, None)
    assert seat.tiers == (Tier(None, Decimal("15.00")),)
    assert price.policy.increase.modes == (ProrationMode.PRORATED_IMMEDIATELY,)
    assert price.policy.decrease.timing is ChangeTiming.NOW


def test_a_plan_can_be_tried() -> None:
    """Two weeks, where the file says so; nothing where it does not."""
    tried = changed("[plans.team]", "[plans.team]\ntrial_days = 14")

    assert [plan.trial_days for text in (tried, SMALL) for plan in declared(text).plans] == [14, 0]


@pytest.mark.parametrize(
    ("written", "model", "tiers", "package"),
    [
        (
            tiered("GRADUATED", '{ up_to = 10, unit_amount = "7.00" }', '{ unit_amount = "6.005" }'),
            PricingModel.GRADUATED,
            (Tier(10, Decimal(7)), Tier(None, Decimal("6.005"))),
            1,
        ),
        (
            tiered("VOLUME", '{ up_to = 9, flat_amount = "5.00" }', '{ unit_amount = "1.00" }'),
            PricingModel.VOLUME,
            (Tier(9, Decimal(0), Decimal(5)), Tier(None, Decimal(1))),
            1,
        ),
        (
            tiered("STAIRSTEP", '{ up_to = 5, flat_amount = "50.00" }', '{ flat_amount = "80.00" }'),
            PricingModel.STAIRSTEP,
            (Tier(5, Decimal(0), Decimal(50)), Tier(None, Decimal(0), Decimal(80))),
            1,
        ),
        (
            '{ model = "PACKAGE", package_size = 5, package_amount = "50.00" }',
            PricingModel.PACKAGE,
            (Tier(None, Decimal(0), Decimal(50)),),
            5,
        ),
    ],
)
def test_each_model_has_its_own_words(
    written: str, model: PricingModel, tiers: tuple[Tier, ...], package: int
) -> None:
    """Graduated, volume and stairstep have tiers, a package its size and amount."""
    seat = declared(seats(written)).plans[0].prices[0].seats[0]

    assert (seat.model, seat.tiers, seat.package_size) == (model, tiers, package)


WRONG = [
    ('label = "VAT"', 'label = "VAT"\nlabel = "Tax"', "", "not TOML"),
    ('zone = "Europe/Berlin"', 'zone = "Europe/Berln"', "seller.zone", "no IANA time zone"),
    ('zone = "Europe/Berlin"', 'zone = "../etc/passwd"', "seller.zone", "no IANA time zone"),
    ('country = "DE"\ntax', 'country = "Germany"\ntax', "seller.country", "ISO 3166"),
    ('country = "DE"\ntax', 'country = "EU"\ntax', "seller.country", "ISO 3166"),
    ('email = "billing@northwind.example"', 'email = "billing"', "seller.email", "no e-mail address"),
    ("payment_days = 14", "", "seller.payment_days", "is missing"),
    ("payment_days = 14", "payment_days = true", "seller.payment_days", "whole number"),
    ("payment_days = 14", "payment_days = 14.0", "seller.payment_days", "whole number"),
    ("payment_days = 14", "payment_days = -1", "seller.payment_days", "from 0 to 365"),
    ('"DE89 3704', '"DE88 3704', "seller.bank.iban", "check digits"),
    ('bic = "COBADEFFXXX"', 'bic = "COBA"', "seller.bank.bic", "BIC"),
    ('legal_name = "Northwind Software GmbH"', 'legal_name = ""', "seller.legal_name", "1 to 200 characters"),
    ('legal_name = "North', 'legal_name = "North\\n', "seller.legal_name", "one line"),
    ('"10115 Berlin"]', "10115]", "seller.address[1]", "in quotes"),
    ('"Lindenhof 7", "10115 Berlin"', "", "seller.address", "is empty"),
    ('"Lindenhof 7"', '"1", "2", "3", "4", "5", "6"', "seller.address", "at most 6 lines, not 7"),
    ("starts = 2007-01-01", "", "tax_rates[0].starts", "is missing"),
    (
        'seats.editor = { included = 5, unit_amount = "15.00" }',
        "seats = {}",
        f"{PRICE}.seats",
        "Add seats.METRIC",
    ),
    ('tax_id = "DE999999999"', 'tax_di = "DE999999999"', "seller.tax_di", "Did you mean 'tax_id'?"),
    ('rate = "19"', "rate = 19", "tax_rates[0].rate", 'as text, so that it stays exact: "19"'),
    ('rate = "19"', 'rate = "190"', "tax_rates[0].rate", "more than 100 percent"),
    ("starts = 2007-01-01", 'starts = "2007-01-01"', "tax_rates[0].starts", "without quotes"),
    ("starts = 2007-01-01", "starts = 2007-01-01T00:00:00Z", "tax_rates[0].starts", "without quotes"),
    (
        "starts = 2007-01-01",
        "starts = 2007-01-01\nends = 2007-01-01",
        "tax_rates[0].ends",
        "not after starts",
    ),
    ("[metrics.editor]", "[metrics.base_fee]", "metrics.base_fee", "base fee"),
    ("[metrics.editor]", "[metrics.fullSeat]", "metrics.fullSeat", "snake_case"),
    ("[metrics.editor]", '[metrics."full seat"]', "metrics.full seat", "snake_case"),
    ('label = "Editor"', "", "metrics.editor.label", "is missing"),
    ('interval = "MONTH"', 'interval = "month"', f"{PRICE}.interval", "Did you mean 'MONTH'?"),
    ('interval = "MONTH"', 'interval = "WEEK"', f"{PRICE}.interval", "MONTH, QUARTER, HALF_YEAR, YEAR"),
    ('currency = "USD"', 'currency = "USX"', f"{PRICE}.currency", "ISO 4217"),
    ('currency = "USD"', "", f"{PRICE}.currency", "is missing"),
    ('base_fee = "99.00"', "base_fee = 99.00", f"{PRICE}.base_fee", "as text"),
    ('base_fee = "99.00"', 'base_fee = "99.001"', f"{PRICE}.base_fee", "at most 2"),
    ('base_fee = "99.00"', 'base_fee = "-99.00"', f"{PRICE}.base_fee", "negative"),
    ('base_fee = "99.00"', 'base_fee = "99,00"', f"{PRICE}.base_fee", "decimal number"),
    ('base_fee = "99.00"', 'base_fee = "1e9"', f"{PRICE}.base_fee", "decimal number"),
    ('base_fee = "99.00"', 'base_fee = "NaN"', f"{PRICE}.base_fee", "decimal number"),
    ('base_fee = "99.00"', 'base_fee = "٩٩"', f"{PRICE}.base_fee", "decimal number"),
    ('base_fee = "99.00"', 'base_fee = "1000000000.00"', f"{PRICE}.base_fee", "more than 9 digits"),
    ("seats.editor", "seats.viewer", f"{PRICE}.seats.viewer", "which are: editor"),
    (
        'increase = { modes = ["PRORATED_IMMEDIATELY"]',
        "increase = { modes = []",
        f"{PRICE}.increase.modes",
        "empty",
    ),
    (
        'increase = { modes = ["PRORATED_IMMEDIATELY"]',
        'increase = { modes = ["PRORATE_IMMEDIATELY"]',
        f"{PRICE}.increase.modes[0]",
        "Did you mean 'PRORATED_IMMEDIATELY'?",
    ),
    (
        'increase = { modes = ["PRORATED_IMMEDIATELY"]',
        'increase = { modes = ["DO_NOT_BILL", "DO_NOT_BILL"]',
        f"{PRICE}.increase.modes[1]",
        "twice",
    ),
    (
        'decrease = { modes = ["PRORATED_IMMEDIATELY"], timing = "NOW" }',
        'decrease = { modes = ["PRORATED_IMMEDIATELY"] }',
        f"{PRICE}.decrease.timing",
        "is missing",
    ),
    ("[[plans.team.prices]]", "[plans.team.prices]", "plans.team.prices", "list of tables"),
    ("[plans.team]", "[plans.team]\ntrial_days = 731", "plans.team.trial_days", "from 0 to 730"),
    ("[plans.team]", "[plans.team]\ntrial_days = '14'", "plans.team.trial_days", "whole number"),
    ("[plans.team]", "[plans.Team_Plan]\n[plans.team]", "plans.Team_Plan", "lower-case"),
    (
        "[plans.team]",
        "[plans.other]\nname = 'O'\ndescription = 'O'\n[plans.team]",
        "plans.other.prices",
        "missing",
    ),
]


@pytest.mark.parametrize(("old", "new", "path", "message"), WRONG)
def test_what_is_wrong_is_named_with_its_place(old: str, new: str, path: str, message: str) -> None:
    """Each mistake is told at its own path, in words that say what was wrong or what to write."""
    found = problems(changed(old, new))

    assert message in found[path]


@pytest.mark.parametrize(
    ("price", "path", "message"),
    [
        ("{ included = 5 }", "unit_amount", "is missing"),
        ('{ included = 6, maximum = 5, unit_amount = "1.00" }', "included", "Raise maximum"),
        ('{ minimum = 6, maximum = 5, unit_amount = "1.00" }', "minimum", "Raise maximum"),
        ('{ maximum = 100001, unit_amount = "1.00" }', "maximum", "from 0 to 100000"),
        ('{ included = true, unit_amount = "1.00" }', "included", "whole number"),
        ('{ unit_amount = "1.00", flat_amount = "1.00" }', "flat_amount", "There is no 'flat_amount' here"),
        ('{ unit_amount = "1.00", tiers = [] }', "tiers", "PER_UNIT has unit_amount"),
        ('{ model = "PACKAGE", package_amount = "50.00" }', "package_size", "is missing"),
        ('{ model = "PACKAGE", package_size = 0, package_amount = "50.00" }', "package_size", "from 1"),
        ('{ model = "PACKAGE", package_size = 5, package_amount = "50.001" }', "package_amount", "at most 2"),
        ('{ model = "VOLUME", unit_amount = "1.00" }', "unit_amount", "in tiers"),
        ('{ model = "VOLUME" }', "tiers", "needs tiers"),
        ('{ model = "VOLUME", tiers = [] }', "tiers", "is empty"),
        ('{ model = "VOLUME", tiers = [{}] }', "tiers[0].unit_amount", "is missing"),
        (
            '{ model = "VOLUME", tiers = [{ up_to = 5, unit_amount = "1" }] }',
            "tiers[0].up_to",
            "must be open",
        ),
        ('{ model = "STAIRSTEP", tiers = [{ unit_amount = "1" }] }', "tiers[0].flat_amount", "is missing"),
        ('{ model = "STAIRSTEP", tiers = [{ unit_amount = "1" }] }', "tiers[0].unit_amount", "flat_amount"),
        (
            tiered("GRADUATED", '{ unit_amount = "2" }', '{ unit_amount = "1" }'),
            "tiers[0].up_to",
            "Only the last tier is open",
        ),
        (
            tiered("GRADUATED", *2 * ['{ up_to = 5, unit_amount = "2" }'], '{ unit_amount = "1" }'),
            "tiers[1].up_to",
            "5 overlaps the tier before",
        ),
        (
            tiered("GRADUATED", '{ up_to = 0, unit_amount = "2" }', '{ unit_amount = "1" }'),
            "tiers[0].up_to",
            "from 1",
        ),
        (tiered("GRADUATED", "{ unit_amount = 1.5 }"), "tiers[0].unit_amount", '"1.5"'),
    ],
)
def test_a_seat_price_that_cannot_be_is_named(price: str, path: str, message: str) -> None:
    """Bounds that contradict each other, tiers that overlap or leave a gap, keys of another model."""
    assert message in problems(seats(price))[f"{SEAT}.{path}"]


def test_everything_wrong_is_said_at_once() -> None:
    """Five mistakes in five places are five problems, in one reading."""
    text = changed("payment_days = 14", "payment_days = 400")
    text = changed('rate = "19"', 'rate = "x"', text)
    text = changed('label = "Editor"', 'lable = "Editor"', text)
    text = changed('currency = "USD"', 'currency = "usd"', text)
    text = changed('unit_amount = "15.00"', 'unit_amount = "-15.00"', text)

    assert set(problems(text)) == {
        "seller.payment_days",
        "tax_rates[0].rate",
        "metrics.editor.label",
        "metrics.editor.lable",
        f"{PRICE}.currency",
        f"{SEAT}.unit_amount",
    }


def test_a_wrong_currency_makes_no_amount_wrong() -> None:
    """While the currency is unknown, so are its digits: only the currency is a problem."""
    assert set(problems(changed('currency = "USD"', 'currency = "USX"'))) == {f"{PRICE}.currency"}


def test_the_fee_has_no_more_digits_than_its_currency() -> None:
    """Yen have none: 99.00 yen cannot be billed, 99 can; a seat's unit price may have digits of its own."""
    yen = changed('currency = "USD"', 'currency = "JPY"')

    assert set(problems(yen)) == {f"{PRICE}.base_fee"}
    assert (
        declared(changed('base_fee = "99.00"', 'base_fee = "99"', yen)).plans[0].prices[0].base_fee.minor
        == 99
    )


def test_one_interval_and_currency_has_one_price() -> None:
    """A second monthly price in dollars is refused; a yearly one is not."""
    monthly = changed('interval = "YEAR"', 'interval = "MONTH"', YEARLY)

    assert "plans.team.prices[0] is for MONTH in USD too" in problems(SMALL + monthly)["plans.team.prices[1]"]
    assert len(declared(SMALL + YEARLY).plans[0].prices) == 2


@pytest.mark.parametrize(
    ("starts", "ends", "overlaps"),
    [
        ("2020-07-01", "2021-01-01", True),
        ("2007-01-01", "2007-01-02", True),
        ("2000-01-01", "2007-01-01", False),
        ("2000-01-01", "2007-01-02", True),
    ],
)
def test_one_country_has_one_rate_on_a_day(starts: str, ends: str, *, overlaps: bool) -> None:
    """The end of a rate is the first day on which it no longer holds: it may be the start of the next."""
    second = (
        f'[[tax_rates]]\ncountry = "DE"\nlabel = "VAT"\nrate = "16"\nstarts = {starts}\nends = {ends}\n\n'
    )
    parsed = parse_catalog(changed("[metrics.editor]", f"{second}[metrics.editor]"))

    assert isinstance(parsed, Declared) is not overlaps
    if not isinstance(parsed, Declared):
        assert [problem.path for problem in parsed] == ["tax_rates[1]"]


@pytest.mark.parametrize("mode", ["DIFFERENCE_IMMEDIATELY", "FULL_IMMEDIATELY"])
def test_a_policy_that_can_be_milked_is_warned_of(mode: str) -> None:
    """Giving seats back by a full amount at once is allowed and warned of; at the renewal it is harmless."""
    now = changed('decrease = { modes = ["PRORATED_IMMEDIATELY"]', f'decrease = {{ modes = ["{mode}"]')
    later = changed(f'modes = ["{mode}"], timing = "NOW"', f'modes = ["{mode}"], timing = "AT_RENEWAL"', now)

    assert [warning.path for warning in declared(now).warnings] == [f"{PRICE}.decrease.modes"]
    assert mode in declared(now).warnings[0].message
    assert declared(later).warnings == ()


@pytest.mark.parametrize(
    "text", ["", "seller = 1", "plans = []", "[seller]\n[plans]\n[metrics]", "x", "\x00"]
)
def test_any_text_gets_an_answer(text: str) -> None:
    """A text that is no catalog at all has problems, each with something to do."""
    assert all(message.endswith((".", "?")) for message in problems(text).values())


@pytest.mark.parametrize("value", ["1", "1.5", '"x"', "true", "[]", "{}", "[[1]]", "2026-01-01", "nan"])
def test_no_value_anywhere_breaks_the_reading(value: str) -> None:
    """Whatever stands behind a key of the demo's catalog, there is a catalog or a list of problems."""
    lines = CATALOG.read_text("utf-8").splitlines()
    keys = [
        i
        for i, line in enumerate(lines)
        if " = " in line and line.rstrip().endswith(('"', "]", "}", "1", "4"))
    ]
    assert len(keys) > 60
    for i in keys:
        broken = [*lines[:i], f"{lines[i].split(' = ')[0]} = {value}", *lines[i + 1 :]]
        parsed = parse_catalog("\n".join(broken))
        assert isinstance(parsed, Declared) or all(problem.message for problem in parsed)


def test_the_demos_catalog_is_valid() -> None:
    """It has one warning: the plan that allows every mode can be milked, as it says itself."""
    catalog = declared(CATALOG.read_text("utf-8"))

    assert [warning.path for warning in catalog.warnings] == [f"{PRICE}.decrease.modes"]
    assert {model for plan in catalog.plans for p in plan.prices for s in p.seats for model in [s.model]} >= {
        PricingModel.PER_UNIT,
        PricingModel.GRADUATED,
        PricingModel.STAIRSTEP,
    }
