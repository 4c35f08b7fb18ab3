"""A view survives being stored, and says so when it did not."""

import json
from dataclasses import replace
from typing import Any

import pytest

from app.documents.compose import view_of
from app.documents.errors import ViewInvalid
from app.documents.html import html_of
from app.documents.view import SCHEMA, from_json, to_json
from tests.documents.conftest import GOLDEN
from tests.documents.shapes import SHAPES


@pytest.mark.parametrize("shape", SHAPES)
def test_a_view_comes_back_equal(shape: str) -> None:
    """What is stored at finalisation is what is read for ever: the round trip loses nothing."""
    view = view_of(SHAPES[shape])

    assert from_json(to_json(view)) == view
    assert to_json(from_json(to_json(view))) == to_json(view)


def test_the_json_carries_its_schema() -> None:
    """A reader can tell what it has in hand before it reads on."""
    assert json.loads(to_json(view_of(SHAPES["one_line"])))["schema"] == SCHEMA == 1


def test_a_view_stored_long_ago_still_makes_its_page() -> None:
    """The first stored shape is read, and gives the page it gave; this file must never be written anew."""
    stored = (GOLDEN.parent / "views" / "schema_1.json").read_text(encoding="utf-8")
    page = (GOLDEN.parent / "views" / "schema_1.html").read_text(encoding="utf-8")

    assert html_of(from_json(stored)) == page


def broken(change: str, value: object = None) -> str:
    """A stored view with the field at a dotted place set, or removed if the value is None."""
    content: Any = json.loads(to_json(view_of(SHAPES["one_line"])))
    place = content
    *path, last = change.split(".")
    for name in path:
        place = place[int(name)] if name.isdigit() else place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("stored", "problem"),
    [
        ("", "is not JSON"),
        ("[]", "is not a JSON object"),
        ("{}", "has schema None; this version reads 1"),
        (broken("schema", 2), "has schema 2; this version reads 1"),
        (broken("headline"), "view.headline is missing"),
        (broken("surprise", "!"), "view.surprise is unknown"),
        (broken("headline", 7), "view.headline is not of type str"),
        (broken("shows_tax", 1), "view.shows_tax is not of type bool"),
        (broken("notes", "text"), "view.notes is not a list"),
        (broken("seller", []), "view.seller is not an object"),
        (broken("groups.0.lines.0.amount", 1.5), r"view.groups\[0\].lines\[0\].amount is not of type str"),
    ],
)
def test_a_damaged_view_says_where(stored: str, problem: str) -> None:
    """What cannot be read is refused with the place, never guessed at."""
    with pytest.raises(ViewInvalid, match=problem):
        from_json(stored)


def test_lines_are_counted_over_groups() -> None:
    """Thirty lines in five groups are thirty lines."""
    view = view_of(SHAPES["many_pages"])

    assert view.line_count == 30
    assert len(view.groups) == 5
    assert replace(view, groups=()).line_count == 0
