"""What `make mutants` makes of its findings."""

import pytest

from tests.architecture.source import ROOT
from tools.mutants import (
    NOTICED,
    SURVIVED,
    TIMEOUT,
    UNREACHED,
    Explained,
    chosen,
    explanations,
    is_explained,
    scores,
)

SHOWN = """# app.billing.money.x_round_half_away__mutmut_18: survived
--- app/billing/money.py
+++ app/billing/money.py
@@ -1,6 +1,6 @@
 def round_half_away(numerator: int, denominator: int) -> int:
     whole, rest = divmod(abs(numerator), denominator)
-    return rounded if numerator >= 0 else -rounded
+    return rounded if numerator {sign} 0 else -rounded
"""


@pytest.mark.parametrize("explained", explanations(), ids=lambda each: each.line)
def test_an_explanation_is_of_a_line_that_is_there(explained: Explained) -> None:
    """The line stands in its file, so that no explanation outlives what it explains; and it says why."""
    source = (ROOT / "app/billing" / explained.file).read_text(encoding="utf-8")

    assert explained.line in " ".join(line.strip() for line in source.splitlines())
    assert explained.changed
    assert explained.line not in explained.changed
    assert explained.why.endswith(".")


def test_only_the_very_change_is_explained() -> None:
    """`> 0` for `>= 0` changes nothing, `< 0` does, and so does `> 0` in another file."""
    assert is_explained(SHOWN.format(sign=">"), explanations())
    assert not is_explained(SHOWN.format(sign="<"), explanations())
    assert not is_explained(SHOWN.format(sign=">").replace("money", "taxes"), explanations())


def test_the_case_that_cannot_be_needs_no_explanation() -> None:
    """Nobody notices what becomes of it: with all other cases there, it is never reached."""
    assert is_explained("-        case _:\n-            assert_never(seat.model)\n", ())
    assert not is_explained("-        case Mode.ALL:\n-            everything(seat.model)\n", ())


@pytest.mark.parametrize(
    ("line", "changed", "explained"),
    [
        ('assert line, "it is there"', 'assert line, "XXit is thereXX"', True),
        ('assert line, "it is there"', "assert line, None", False),
        ('assert line, "it is there"', 'assert not line, "it is there"', False),
        ("assert line", "assert not line", False),
    ],
)
def test_another_text_of_an_assertion_changes_nothing(line: str, changed: str, *, explained: bool) -> None:
    """Only the text: the condition stays, and so does that there is one."""
    assert is_explained(f"-    {line}\n+    {changed}\n", ()) is explained


def test_scores_leave_out_what_changes_nothing() -> None:
    """One of two is noticed in `taxes`; in `money` the other one is explained, and is not counted."""
    found = {
        "app.billing.money.x_rounded__mutmut_1": NOTICED,
        "app.billing.money.x_rounded__mutmut_2": SURVIVED,
        "app.billing.taxes.x_tax_of__mutmut_1": TIMEOUT,
        "app.billing.taxes.x_tax_of__mutmut_2": UNREACHED,
    }

    assert list(scores(found, {"app.billing.money.x_rounded__mutmut_2"})) == [
        "app.billing.money                1 of     1 noticed  100.0 %",
        "app.billing.taxes                1 of     2 noticed   50.0 %",
        "together                         2 of     3 noticed   66.7 %",
    ]


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        ([], ["app.billing.money.x_split__mutmut_1", "app.billing.taxes.x_tax_of__mutmut_2"]),
        (["taxes"], ["app.billing.taxes.x_tax_of__mutmut_2"]),
        (["tax"], []),
        (["app.billing.money.x_split*"], ["app.billing.money.x_split__mutmut_1"]),
    ],
)
def test_a_run_can_be_narrowed(patterns: list[str], names: list[str]) -> None:
    """To modules by their name, or to changes by a pattern."""
    all_names = ["app.billing.money.x_split__mutmut_1", "app.billing.taxes.x_tax_of__mutmut_2"]

    assert list(chosen(all_names, patterns)) == names
