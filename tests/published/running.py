"""Cases run one after the other, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.billing.plans import ProrationMode
from tests.published.adapters import ADAPTERS, state_to_change
from tests.published.cases import Case, Found, Malformed, Unreadable, read

IMPOSSIBLE: Final = (ArithmeticError, AssertionError, LookupError, StopIteration, TypeError, ValueError)
"""What the rules raise when a case asks for what cannot be."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A key of `expect` that is answered otherwise."""

    key: str
    expected: object
    actual: object

    def __str__(self) -> str:
        return f"  {self.key}: expected {self.expected}, actual {self.actual}"


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the rules answer some keys otherwise than the format says, on purpose."""

    applies: Callable[[Case], bool]
    keys: frozenset[str]
    reason: str


@dataclass(slots=True)
class Report:
    """The outcome of a file, by ids (a line that is no case: by its number), and what is told of it."""

    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    otherwise: list[str] = field(default_factory=list)
    fractional: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """All that a reader of the run sees; the last line is the two counts."""
        yield from self.told
        if self.fractional:
            yield f"{len(self.fractional)} with fractional quantities, not run: {', '.join(self.fractional)}"
        if self.otherwise:
            yield f"{len(self.otherwise)} answered otherwise on purpose: {', '.join(self.otherwise)}"
        yield f"{len(self.passed)} passed, {len(self.failed)} failed"


def restarts_on_the_first_day(case: Case) -> bool:
    """A change that restarts the cycle on the day on which the period began."""
    if case.kind != "change" or case.given["mode"] != ProrationMode.FULL_IMMEDIATELY.value:
        return False
    at, state = state_to_change(case.given)
    return state.subscription.rest(at, state.price.granularity)[0] == state.subscription.period


DEPARTURES: Final = (
    Departure(
        restarts_on_the_first_day,
        frozenset({"credit", "net"}),
        "a restart on the period's own first day gives back what was billed for it, or it were paid twice",
    ),
)


def run(lines: Iterable[str]) -> Report:
    """Run every line of a file."""
    report = Report()
    for case in read(lines, ADAPTERS):
        if isinstance(case, Unreadable):
            report.failed.append(f"line {case.line}")
            report.told.append(f"line {case.line}: {case.problem}")
        elif case.fractional:
            report.fractional.append(case.id)
        else:
            _judge(case, report)
    return report


def _judge(case: Case, report: Report) -> None:
    try:
        differences = differences_of(case.expect, ADAPTERS[case.kind](case.given))
        reason = _departure(case, differences) if differences else None
    except Malformed as wrong:
        problem = str(wrong)
    except IMPOSSIBLE as wrong:
        problem = f"the rules cannot answer it: {type(wrong).__name__} {wrong}"
    else:
        _enter(case, differences, reason, report)
        return
    report.failed.append(case.id)
    report.told.append(f"line {case.line}: {case.id}: {problem}")


def _enter(case: Case, differences: list[Difference], reason: str | None, report: Report) -> None:
    if not differences:
        report.passed.append(case.id)
        return
    (report.otherwise if reason else report.failed).append(case.id)
    report.told.append(f"{'otherwise' if reason else 'FAILED'} {case.id} ({case.kind}, line {case.line})")
    report.told += [str(difference) for difference in differences]
    report.told += [f"  on purpose: {reason}"] if reason else []


def differences_of(expect: Mapping[str, Any], found: Found) -> list[Difference]:
    """The keys whose expected text is not the one that was found."""
    return [
        Difference(key, expected, found.get(key, "no answer"))
        for key, expected in expect.items()
        if expected != found.get(key)
    ]


def _departure(case: Case, differences: list[Difference]) -> str | None:
    """The reason why a case is answered otherwise; None if there is none."""
    keys = {difference.key for difference in differences}
    return next((d.reason for d in DEPARTURES if keys <= d.keys and d.applies(case)), None)
