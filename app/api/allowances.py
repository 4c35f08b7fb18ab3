"""How much one GraphQL request may ask for, and one member in a minute. Each is a setting of a deployment:
`SEATPORT_LIMIT_DEPTH` is `depth`, and so on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

PREFIX: Final = "SEATPORT_LIMIT_"
DIGITS_MAX: Final = 9


class WrongLimit(ValueError):
    """A limit is set to something that cannot be one; the message says which, and what to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most of each. What is counted in a document is counted with its fragments expanded."""

    body_bytes: int = 100_000
    body_seconds: int = 15
    tokens: int = 2_000
    depth: int = 12
    introspection_depth: int = 20  # What GraphiQL asks for when it opens is 15 deep.
    aliases: int = 30
    directives: int = 20
    fields: int = 500
    root_fields: int = 10
    repeats: int = 30  # Fields in one place of the answer; validation compares each two of them.
    statements: int = 60  # At the database, for what a query selects; `app.api.cost` knows their number.
    cost: int = 5_000  # In points: a point for each statement and for each row that may be found.
    seconds: int = 10
    mutation_seconds: int = 30  # It may wait ten for its turn to write, and for a payment.
    points: int = 0  # What a member may spend in a minute; 0 for no such limit.

    @classmethod
    def from_env(cls, environ: Mapping[str, str], *, points: int) -> "Limits":
        """The limits that an environment sets, the rest as they are here.

        :param points: what a member may spend in a minute where the environment does not say
        :raises WrongLimit: for what is no number, for 0 where that allows nothing, and for names of no limit
        """
        names = {f"{PREFIX}{field.name.upper()}": field.name for field in fields(cls)}
        unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in names)
        if unknown:
            raise WrongLimit(f"{unknown[0]} is no limit. There are {', '.join(sorted(names))}.")
        given = {field: _number(name, environ.get(name, "").strip()) for name, field in names.items()}
        limits = cls(
            **{"points": points, **{field: most for field, most in given.items() if most is not None}}
        )
        if 0 < limits.points < limits.cost:
            raise WrongLimit(
                f"{PREFIX}POINTS is {limits.points}, less than {PREFIX}COST, {limits.cost}: the dearest "
                "operations that are allowed could never run. Raise the one or lower the other."
            )
        return limits


DEFAULT: Final = Limits()
POINTS_IN_PRODUCTION: Final = 10_000


def _number(name: str, text: str) -> int | None:
    """The number that a variable holds; None when it is not set."""
    if not text:
        return None
    least = 0 if name == f"{PREFIX}POINTS" else 1
    if not (text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX and int(text) >= least):
        raise WrongLimit(f"{name} is {text[:40]!r}. Set it to a whole number from {least} on.")
    return int(text)
