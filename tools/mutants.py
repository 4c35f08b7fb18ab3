"""Change the billing rules in thousands of small ways and see whether a test notices each one.

A change that nobody notices is a hole in the tests, unless it changes nothing: those are explained here.
Takes hours; what earlier runs left in `mutants/` is used.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
MUTMUT: Final = Path(sys.executable).with_name("mutmut")
UNNOTICED: Final = ("survived", "no tests", "suspicious")
UNTRIED: Final = ("not checked", "skipped")


@dataclass(frozen=True, slots=True)
class Explained:
    """A line of `app/billing` and a change of it that no test can notice, because it changes nothing."""

    file: str
    line: str
    changed: str
    why: str


EXPLAINED: Final = (
    Explained(
        "money.py",
        "return rounded if value >= 0 else -rounded",
        "return rounded if value > 0 else -rounded",
        "Nothing is rounded to 0, and 0 has no sign.",
    ),
    Explained(
        "money.py",
        "digits = max(currency.digits, -exponent if isinstance(exponent, int) else 0)",
        "digits = max(currency.digits, -exponent if isinstance(exponent, int) else 1)",
        "The exponent of a finite number is an int; the rest is for the type checker.",
    ),
    Explained(
        "money.py",
        "digits = max(currency.digits, -exponent if isinstance(exponent, int) else 0)",
        "digits = max(currency.digits, -exponent if (isinstance(exponent, int)) or True else 0)",
        "As above.",
    ),
    Explained(
        "taxes.py",
        "if buyer != self.country and {buyer, self.country} <= EU_COUNTRIES and tax_id:",
        "if buyer != self.country and {buyer, self.country} < EU_COUNTRIES and tax_id:",
        "Two countries are never all of the Union.",
    ),
    Explained(
        "charges.py",
        'return self._line(BASE_FEE, kind, 1, parts, "seat")',
        'return self._line(BASE_FEE, kind, 1, parts, "XXseatXX")',
        "A base fee has no units whose word its formula could show.",
    ),
    Explained(
        "periods.py",
        "months = (day.year - self.anchor.year) * 12 + day.month - self.anchor.month",
        "months = (day.year - self.anchor.year) * 13 + day.month - self.anchor.month",
        "A first guess; the loops below walk from any guess to the right period, the farther the slower.",
    ),
    Explained(
        "effects.py",
        "lines += _everything(state, since, move.axes.credit)",
        "lines = _everything(state, since, move.axes.credit)",
        "A change of plan or interval is one move, so nothing was there to add to.",
    ),
    Explained(
        "effects.py",
        "apart = sum(billed.units_left for billed in charges) - priced",
        "apart = sum(billed.units_left for billed in charges) + priced",
        "Where something is priced as a whole, every seat has a line, so what is priced is the larger.",
    ),
    Explained("periods.py", "k -= 1", "k -= 2", "As above: the second loop takes back what is too much."),
    Explained(
        "periods.py",
        "while self.boundary(k) > at:",
        "while self.boundary(k) >= at:",
        "As above: on a boundary the second loop comes back to it.",
    ),
    Explained(
        "periods.py",
        "middle = before + (after - before) / 2",
        "middle = before + (after - before) / 3",
        "Any point between narrows the gap down, halving it is the fastest.",
    ),
)


def main(patterns: list[str]) -> int:
    """Run over all of `app/billing`, or over names like `app.billing.money.*`; 1 if one went unnoticed."""
    status = subprocess.run([MUTMUT, "run", *patterns], cwd=ROOT, check=False).returncode
    if status != 0:
        return status
    found = dict(results())
    unnoticed = [name for name, result in found.items() if result in UNNOTICED]
    explained = {name for name in unnoticed if is_explained(said("show", name))}
    print("\n".join(scores(found, explained)))
    print("\n".join(f"{name}: {found[name]}" for name in unnoticed if name not in explained))
    left = len(unnoticed) - len(explained)
    print(f"{left} changes went unnoticed; `mutmut show NAME` prints one. {len(explained)} change nothing.")
    return 1 if left else 0


def results() -> Iterator[tuple[str, str]]:
    """Every change that was tried, and what came of it."""
    for line in said("results", "--all", "true").splitlines():
        name, _, result = line.strip().partition(": ")
        if result and result not in UNTRIED:
            yield name, result


def is_explained(shown: str) -> bool:
    """Whether a difference, as `mutmut show` prints it, is one that is explained."""
    lines = [line for line in shown.splitlines() if not line.startswith(("---", "+++"))]
    old, new = ([line[1:].strip() for line in lines if line.startswith(sign)] for sign in "-+")
    if len(old) == len(new) == 1 and old[0].startswith("assert ") and ', "' in old[0]:
        return (
            old[0].partition(', "')[0] == new[0].partition(', "')[0]
        )  # Another text, for whoever sees a bug.
    return any(old == [each.line] and new == [each.changed] for each in EXPLAINED)


def scores(found: dict[str, str], explained: set[str]) -> Iterator[str]:
    """How many of the changes that change something were noticed, module by module and together."""
    tried: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    for name, result in found.items():
        if name not in explained:
            for module in (".".join(name.split(".")[:3]), "together"):
                tried[module] += 1
                noticed[module] += result not in UNNOTICED
    for module, count in sorted(tried.items()):
        yield f"{module:<28} {noticed[module]:5} of {count:5} noticed {100 * noticed[module] / count:6.1f} %"


def said(*arguments: str) -> str:
    """What mutmut prints."""
    return subprocess.run([MUTMUT, *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
