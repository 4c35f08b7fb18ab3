"""Pages as HTML: golden files, templates that are frozen, and markup that stays text."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment, UndefinedError
from markupsafe import Markup

from app.documents import html
from app.documents.compose import view_of
from app.documents.errors import ViewInvalid
from app.documents.html import TEMPLATES, html_of, styles_of
from tests.documents.conftest import GOLDEN
from tests.documents.shapes import HOSTILE, SHAPES

FROZEN = GOLDEN.parent / "templates.json"


class Elements(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.text += " ".join(value or "" for _, value in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("shape", SHAPES)
def test_the_page_is_the_golden_one(shape: str, golden: Callable[[str, str], None]) -> None:
    """Each shape of document makes exactly the page that was looked at and kept."""
    golden(f"{shape}.html", html_of(view_of(SHAPES[shape])))


def test_hostile_text_adds_no_element() -> None:
    """Markup and template code in every field make the same elements as harmless words, and can be read."""
    hostile = SHAPES["hostile"]
    harmless = replace(
        hostile,
        buyer=replace(
            hostile.buyer, name="x", address=("x", "x"), tax_id="x", registration="x", email="x"
        ),
        lines=tuple(replace(line, description="x", formula="x", group="x") for line in hostile.lines),
        purchase_order="x",
        reference="x",
        footer="x",
    )  # fmt: skip

    page = Elements(html_of(view_of(hostile)))

    assert page.tags == Elements(html_of(view_of(harmless))).tags
    assert page.text.replace("\u200b", "").count(HOSTILE) == 12
    assert not set("\x00\x07\u202e\u2066") & set(page.text)


def test_a_name_the_view_does_not_have_fails_the_page() -> None:
    """A template that asks for what is not there is a fault at once, not a gap on an invoice."""
    environment: Environment = html._environment().overlay(
        loader=DictLoader({"page": "{{ view.surprise }}", "loop": "{% for x in view.surprise %}{% endfor %}"})
    )
    for name in ("page", "loop"):
        with pytest.raises(UndefinedError, match="surprise"):
            environment.get_template(name).render(view=view_of(SHAPES["one_line"]))


def test_only_templates_make_markup() -> None:
    """What a template or macro made passes; what a field holds is cleaned, then escaped."""
    assert html._printable(Markup("<b>\x00</b>")) == Markup("<b>\x00</b>")
    assert html._printable("<b>\x00</b>") == "<b></b>"


@pytest.mark.parametrize(
    "template", ["invoice/v2", "invoice", "../secrets", "invoice/v1/../../x", "mail/v1", "", "invoice/v1\n"]
)
def test_a_template_that_does_not_exist_is_refused(template: str) -> None:
    """A view can name a template of documents and nothing else on the disk."""
    view = replace(view_of(SHAPES["one_line"]), template=template)

    with pytest.raises(ViewInvalid, match="There is no document template"):
        html_of(view)
    with pytest.raises(ViewInvalid, match="There is no document template"):
        styles_of(template)


def test_a_credit_note_is_styled_as_an_invoice() -> None:
    """The styles of the credit note are those of the invoice it includes."""
    assert styles_of("invoice/v1").strip() in styles_of("credit_note/v1")


def digest(folder: Path) -> str:
    """One SHA-256 over the names and contents of a template's files."""
    total = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        total.update(f"{path.name} {len(content)}\n".encode() + content)
    return total.hexdigest()


def test_a_used_template_never_changes() -> None:
    """Documents were made with these versions: a change makes a new folder and leaves the old ones alone.

    A new version is added to templates.json with its digest.
    """
    found = {
        f"{kind}/{folder.name}": digest(folder)
        for kind in ("invoice", "credit_note")
        for folder in sorted((TEMPLATES / kind).iterdir())
    }

    assert found == json.loads(FROZEN.read_text(encoding="utf-8"))


def test_templates_compute_nothing() -> None:
    """No filter, no call, no arithmetic and no set in a template: words are printed, rows repeated."""
    for path in sorted(TEMPLATES.glob("*/v*/*.html")):
        source = path.read_text(encoding="utf-8")
        assert "|" not in source, path
        assert "{% set" not in source, path
        assert "namespace" not in source, path
