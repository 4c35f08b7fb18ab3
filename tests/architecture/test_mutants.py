"""What `make mutants` makes of its findings."""

import pytest

from tests.architecture.source import ROOT
from tools.explained import EXPLAINED, Explained
from tools.mutants import NOTICED, SURVIVED, TIMEOUT, UNREACHED, chosen, is_explained, scores

SHOWN = """# app.billing.money.x_round_half_away__mutmut_18: survived
--- app/billing/money.py
+++ app/billing/money.py
@@ -1,6 +1,6 @@
 def round_half_away(value: Fraction) -> int:
     whole, rest = divmod(abs(value.numerator), value.denominator)
-    return rounded if value >= 0 else -rounded
+    return rounded if value {sign} 0 else -rounded
"""


@pytest.mark.parametrize("explained", EXPLAINED, ids=lambda each: each.changed)
def test_an_explanation_is_of_a_line_that_is_there(explained: Explained) -> None:
    """The line stands in its file, so that no explanation outlives what it explains."""
    lines = (ROOT / "app/billing" / explained.file).read_text(encoding="utf-8").splitlines()

    assert explained.line in {line.strip() for line in lines}
    assert explained.changed != explained.line


def test_only_the_very_change_is_explained() -> None:
    """`> 0` for `>= 0` changes nothing, `< 0` does."""
    assert is_explained(SHOWN.format(sign=">"))
    assert not is_explained(SHOWN.format(sign="<"))


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
    assert is_explained(f"-    {line}\n+    {changed}\n") is explained


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
