"""Money as clients see it: an amount with exactly its currency's digits, the currency, and the same written
out for people, so that no page formats or rounds by itself.
"""

from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Final

import strawberry
from babel import Locale, UnknownLocaleError

from app.api.errors import PublicError
from app.api.scalars import CurrencyCode
from app.billing import money
from app.documents.wording import format_money

LOCALE_LENGTH_MAX: Final = 35


LocaleArgument = Annotated[
    str | None, strawberry.argument(description="A BCP 47 tag like `de-DE`; left out, the customer's locale.")
]


async def _formatted(
    root: "Money", info: strawberry.Info[Any, Any], locale: LocaleArgument = strawberry.UNSET
) -> str:
    inner = root.inner
    chosen = known_locale(locale) if isinstance(locale, str) else await info.context.locale()
    return format_money(inner.minor, inner.currency.code, inner.currency.digits, chosen)


@strawberry.type(
    description="An amount of money in one currency. Negative amounts are in the customer's favour."
)
class Money:
    """An amount of money in one currency."""

    amount: Decimal = strawberry.field(
        description="The amount in major units, with exactly the currency's digits."
    )
    currency: CurrencyCode = strawberry.field(
        description="What the amount is counted in; all amounts of one customer are in the same."
    )
    inner: strawberry.Private[money.Money]
    formatted: str = strawberry.field(
        resolver=_formatted,
        description="The amount for people to read, in a locale's own form: `€1,156.33`, `−44,63 €`.",
    )

    @classmethod
    def of(cls, amount: money.Money) -> "Money":
        """The schema's money of an amount of billing."""
        return cls(amount=amount.amount, currency=CurrencyCode(amount.currency.code), inner=amount)


@lru_cache(maxsize=256)
def known_locale(tag: str) -> str:
    """A BCP 47 tag whose language has formats, else `PublicError`. An unknown region falls back to its
    language.
    """
    language = tag.replace("_", "-").partition("-")[0]
    try:
        known = len(tag) <= LOCALE_LENGTH_MAX and bool(Locale.parse(language))
    except (UnknownLocaleError, ValueError):
        known = False
    if not known:
        raise PublicError(
            f"{tag[:LOCALE_LENGTH_MAX]!r} is not a locale. Use a BCP 47 tag like en-GB or de-DE."
        )
    return tag
