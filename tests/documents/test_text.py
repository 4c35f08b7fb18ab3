"""What strangers typed is made fit for print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.text import WORD_MAX, ZERO_WIDTH_SPACE, breakable, cleaned


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("Acme\x00 \x07Inc.\x1b[31m", "Acme Inc.[31m"),
        ("two\r\nlines\tand\u2028more", "two lines and more"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("\u2066a\u2069 \u200eb\u200f", "a b"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("\ud83d half a pair", "half a pair"),
        ("\ue000\uffff private", "private"),
        ("  spaced  ", "spaced"),
        ("👩‍🚀 Łódź ٣ नमस्ते", "👩‍🚀 Łódź ٣ नमस्ते"),
    ],
)
def test_cleaning_keeps_words_and_drops_tricks(typed: str, printed: str) -> None:
    """Controls, turned text, halves of pairs and private characters go; accents are composed; words stay."""
    assert cleaned(typed) == printed


def test_a_long_text_is_cut_and_says_so() -> None:
    """Two hundred characters of three hundred are printed, the last one an ellipsis."""
    assert cleaned("x" * 300, longest=200) == "x" * 199 + "…"
    assert cleaned("x" * 200, longest=200) == "x" * 200


def test_a_flood_of_accents_is_bounded() -> None:
    """A letter under a million accents is cut before anything looks at all of them."""
    assert len(cleaned("e" + "\u0301" * 1_000_000, longest=200)) == 200


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    """Cleaned text is clean: the view and the template may both do it."""
    once = cleaned(text, longest=50)
    assert cleaned(once, longest=50) == once
    assert len(once) <= 50


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_breaking_adds_only_places_to_break(text: str) -> None:
    """Without its zero-width spaces a breakable text is the text, and breaking it again changes nothing."""
    broken = breakable(text)
    assert broken.replace(ZERO_WIDTH_SPACE, "") == text.replace(ZERO_WIDTH_SPACE, "")
    assert breakable(broken) == broken


def test_a_very_long_word_can_break() -> None:
    """150 letters without a space can break after the 60th and the 120th; an e-mail address stays whole."""
    assert breakable("W" * 150) == ZERO_WIDTH_SPACE.join(["W" * WORD_MAX, "W" * WORD_MAX, "W" * 30])
    assert breakable("billing.department@northwind.example and words") == (
        "billing.department@northwind.example and words"
    )


def test_no_break_between_a_letter_and_its_accent() -> None:
    """An accent that cannot be composed, and a joined emoji, stay with what they belong to."""
    assert breakable("x" * WORD_MAX + "\u0331y") == "x" * WORD_MAX + "\u0331" + ZERO_WIDTH_SPACE + "y"
    astronaut = "\U0001f469\u200d\U0001f680"
    assert astronaut in breakable("x" * (WORD_MAX - 1) + astronaut + "x" * 9)
