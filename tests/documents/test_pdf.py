"""PDFs are checked by facts: pages, text, fonts, glyphs, metadata, sameness, and what they may not do."""

import gc
import hashlib
import http.server
import io
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fontTools import subset  # type: ignore[import-untyped]

from app.assets import FONTS
from app.documents import pdf
from app.documents.compose import view_of
from app.documents.errors import SetupIncomplete, TooManyLines
from app.documents.facts import DocumentFacts
from app.documents.fonts import fonts
from tests.documents.builders import a_line, an_invoice, many_lines
from tests.documents.reading import fonts_of, our_sources, reader, texts, wrong_glyphs
from tests.documents.shapes import HOSTILE, SHAPES

ROOT = Path(__file__).resolve().parents[2]


@cache
def drawn(facts: DocumentFacts) -> pdf.Pdf:
    """The PDF of a document, drawn once in this process."""
    return pdf.draw(view_of(facts))


@pytest.mark.parametrize(("lines", "pages"), [(1, 1), (5, 1), (8, 1), (50, 4), (120, 8)])
def test_pages_follow_the_lines(lines: int, pages: int) -> None:
    """Eight lines with head, totals and payment fit one page; fifty need four."""
    done = drawn(an_invoice(*many_lines(lines)))

    assert done.pages == len(reader(done.content).pages) == pages
    assert done.sha256 == hashlib.sha256(done.content).hexdigest()


def test_the_words_of_an_invoice_can_be_copied() -> None:
    """Number, headline, line, formula, totals and payment stand in the text, in the order people read."""
    (text,) = texts(drawn(an_invoice()).content)

    order = (
        "Invoice number INV-2026-000042",
        "Globex Handelsgesellschaft mbH & Co. KG",
        "rechnungen@globex.example",
        "€296.31 due 15 April 2026",
        "Team plan, base fee",
        "1 – 30 April 2026 · 10 seats × 15.00 EUR",
        "VAT 19% on €249.00 €47.31",
        "Amount due (EUR) €296.31",
        "DE89 3704 0044 0532 0130 00",
    )
    places = [text.find(words) for words in order]
    assert -1 not in places, text
    assert places[:-1] == sorted(places[:-1])


def test_a_credit_has_a_true_minus_in_the_file() -> None:
    """U+2212, not a hyphen, stands before what is given back."""
    (text,) = texts(drawn(SHAPES["partly_by_credit"]).content)

    assert "\u221275,00" in text
    assert "-75,00" not in text


def test_every_page_repeats_the_heads_and_counts() -> None:
    """Column heads, title, seller and `Page x of y` stand on each of the pages; the headline on the first."""
    pages = texts(drawn(an_invoice(*many_lines(50))).content)

    for number, text in enumerate(pages, start=1):
        assert "Description Quantity Unit price Amount" in text
        assert text.count("Invoice INV-2026-000042") == (1 if number == 1 else 2)
        assert "Northwind Software GmbH" in text
        assert f"Page {number} of {len(pages)}" in text
    assert ["due 15 April 2026" in text for text in pages] == [True, False, False, False]


def test_pages_are_counted_in_the_customers_language() -> None:
    """Thirty lines in German: `Seite 2 von 3` and German column heads."""
    pages = texts(drawn(SHAPES["many_pages"]).content)

    assert ["Seite 2 von 3" in text for text in pages] == [False, True, False]
    assert all("Beschreibung Menge Einzelpreis Betrag" in text for text in pages)


@pytest.mark.parametrize("lines", [8, 9, 10, 11, 12, 22, 23, 24, 25])
def test_totals_never_stand_alone(lines: int) -> None:
    """However the lines fall, the last page has at least two of them above the totals."""
    *_, last = texts(drawn(an_invoice(*many_lines(lines))).content)

    assert last.count("/30 days") >= 2
    assert "Subtotal" in last
    assert "Amount due (EUR)" in last


@pytest.mark.parametrize("lines", [40, 45, 60])
def test_a_heading_stays_with_its_lines(lines: int) -> None:
    """No page ends with the heading of a group whose lines are on the next."""
    pages = texts(drawn(an_invoice(*many_lines(lines))).content)

    assert sum(text.count("Workspace") for text in pages) == 5
    assert not [text for text in pages if re.search(r"Workspace \d Invoice INV", text)]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_character_is_drawn_as_itself(shape: str) -> None:
    """Each glyph has the outline that our font file has for its character, and none is a box.

    Text that can be copied proves nothing: a PDF with two fonts mixed up copies right and reads wrong.
    """
    done = drawn(SHAPES[shape])

    assert done.unprintable == ()
    assert wrong_glyphs(done.content, our_sources()) == []


@pytest.mark.parametrize("shape", ["one_line", "other_scripts", "credit_note"])
def test_fonts_are_ours_and_embedded(shape: str) -> None:
    """All fonts are our files, embedded, cut down to what is used; no font of this machine slips in."""
    found = fonts_of(drawn(SHAPES[shape]).content)

    assert all(font.name.startswith("Seatport-") for font in found), found
    assert all(font.is_subset and font.file for font in found)
    assert {"Seatport-Inter", "Seatport-Inter-Semi-Bold"} <= {font.name for font in found}


def test_mixed_up_fonts_would_be_noticed(tmp_path: Path) -> None:
    """Two files under one name and weight draw wrong glyphs, and the check above sees them."""
    rules = ""
    for part, unicodes in (("latin", range(0x20, 0x100)), ("extended", range(0x100, 0x250))):
        options = subset.Options(layout_features=[])
        font = subset.load_font(io.BytesIO((FONTS / "Inter_400Regular.ttf").read_bytes()), options)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=list(unicodes))
        cutter.subset(font)
        font.save(tmp_path / f"{part}.ttf")
        rules += f'@font-face {{ font-family: Mixed; src: url("{(tmp_path / part).as_uri()}.ttf") }}\n'
    weasyprint: Any = pdf._press().weasyprint
    config = sys.modules["weasyprint.text.fonts"].FontConfiguration()
    css = weasyprint.CSS(string=f"{rules} p {{ font-family: Mixed }}", font_config=config)

    content = weasyprint.HTML(string="<p>Łódź Präzision</p>").write_pdf(stylesheets=[css], font_config=config)

    assert texts(content) == ["Łódź Präzision"], "the text looks right"
    assert wrong_glyphs(content, {"Mixed": FONTS / "Inter_400Regular.ttf"}) != []


def test_a_character_that_no_font_has_is_reported() -> None:
    """A letter of a rare script shows as a box, and whoever drew the page is told which."""
    done = drawn(an_invoice(a_line(description="Kpelle \U0001e90a and Bassa \U00016ad0")))

    assert any("(U+16AD0)" in character for character in done.unprintable), done.unprintable


def test_the_file_describes_itself() -> None:
    """Title, author, language and date of issue stand in the file, and it is tagged for screen readers."""
    pages = reader(drawn(SHAPES["many_pages"]).content)
    about, root = pages.metadata, pages.trailer["/Root"].get_object()

    assert about is not None
    assert (about.title, about.author) == ("Rechnung INV-2026-000042", "Northwind Software GmbH")
    assert about.creation_date_raw == about.modification_date_raw == "D:20260401"
    assert root["/Lang"] == "de-DE"  # type: ignore[index]
    assert root["/MarkInfo"]["/Marked"]  # type: ignore[index]


def test_the_file_does_nothing() -> None:
    """No attachment, no link, no script, no form: a document is to be read."""
    for shape in ("hostile", "many_pages"):
        pages = reader(drawn(SHAPES[shape]).content)
        root: Any = pages.trailer["/Root"].get_object()
        assert pages.attachments == {}
        assert not {"/OpenAction", "/AA", "/AcroForm", "/JavaScript"} & set(root)
        assert not [page for page in pages.pages if "/Annots" in page]


def test_hostile_words_are_printed_as_words() -> None:
    """Markup and template code in a dozen fields can be read on the pages, the footer on both."""
    text = " ".join(texts(drawn(SHAPES["hostile"]).content)).replace("\u200b", "").replace(" ", "")

    assert text.count("{{7*7}}") == 13
    assert text.count('href="file:///etc/passwd">') == 13


class Listener(http.server.BaseHTTPRequestHandler):
    """Notes every address that is asked for."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def listener() -> Iterator[str]:
    """The address of a server on this machine that must never be asked."""
    Listener.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_even_real_markup_fetches_nothing(listener: str, tmp_path: Path) -> None:
    """If a template forgot to escape: no picture, style, font or file is fetched, nothing gets attached."""
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret of the machine", encoding="utf-8")
    markup = f"""<link rel=attachment href="{secret.as_uri()}"><link rel=stylesheet href="{listener}/style">
        <img src="{listener}/picture"><object data="{listener}/object"></object>
        <svg><image href="{listener}/inside" width=9 height=9 /></svg><embed src="{secret.as_uri()}">
        <style>@import "{listener}/import"; @font-face {{ font-family: X; src: url("{listener}/font") }}
        p {{ font-family: X; background: url("{listener}/ground") }}</style>
        <p>{HOSTILE}</p><a href="{secret.as_uri()}" rel=attachment>file</a>"""
    press = pdf._press()

    document = press.weasyprint.HTML(string=markup, url_fetcher=press.fetcher)
    content = document.write_pdf(stylesheets=[press.fonts], font_config=press.font_config)

    assert Listener.asked == []
    assert reader(content).attachments == {}
    assert b"secret of the machine" not in content


def test_the_listener_would_hear_a_fetch(listener: str) -> None:
    """The server above notes what an open fetcher asks for: the silence before it meant something."""
    pdf._press().weasyprint.HTML(string=f'<img src="{listener}/picture">').write_pdf()

    assert Listener.asked == ["/picture"]


def test_only_our_fonts_may_be_fetched() -> None:
    """Exactly the font files open: not a neighbour in the same folder, not another spelling of a path."""
    fetcher = pdf._press().fetcher

    for font in fonts():
        fetcher.fetch(font.url).close()
    for url in (
        (FONTS / "Inter-OFL.txt").as_uri(),
        fonts()[0].url + "?x",
        fonts()[0].url.replace("/fonts/", "/fonts/../fonts/"),
        "file:///etc/passwd",
        "data:text/plain,x",
        "http://127.0.0.1:9/",
    ):
        with pytest.raises(ValueError, match="may not fetch"):
            fetcher.fetch(url)


def test_a_document_has_a_bound() -> None:
    """2,001 lines are refused before any work is done; the message says the bound."""
    line = many_lines(1)[0]
    view = view_of(an_invoice(*(line,) * 2_001))

    with pytest.raises(TooManyLines, match="has 2001 lines; a document may have 2000"):
        pdf.draw(view)


def test_the_same_view_gives_the_same_bytes(tmp_path: Path) -> None:
    """In this process twice, after other documents, and in processes with another hash seed, zone and day."""
    shapes = ("in_dollars", "other_scripts", "credit_note")
    views = {name: view_of(SHAPES[name]) for name in shapes}
    here = {name: pdf.draw(view).sha256 for name, view in views.items()}
    assert {name: pdf.draw(views[name]).sha256 for name in reversed(shapes)} == here
    script = (
        "from app.documents import pdf; from app.documents.compose import view_of\n"
        "from tests.documents.shapes import SHAPES\n"
        f"print({{name: pdf.draw(view_of(SHAPES[name])).sha256 for name in {shapes!r}}})"
    )
    elsewhere = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed, zone in (("1", "Asia/Tokyo"), ("2", "America/Lima"))
    ]
    for process in elsewhere:
        answer, _ = process.communicate(timeout=60)
        assert answer.strip() == str(here)


def test_missing_fonts_are_named(tmp_path: Path) -> None:
    """Without its fonts the program says which are missing and which command brings them."""
    with pytest.raises(SetupIncomplete, match=r"Inter_400Regular\.ttf.*Run `make install`"):
        fonts(tmp_path)


HIDDEN_LIBRARY = """
import sys
import cffi
real = cffi.FFI.dlopen
def dlopen(ffi, name, *rest):
    if name and {hidden!r} in str(name):
        raise OSError(f"cannot load library {{name!r}}: no such file")
    return real(ffi, name, *rest)
cffi.FFI.dlopen = dlopen
from app.documents import pdf
from app.documents.errors import SetupIncomplete
try:
    print(pdf.warm_up())
except SetupIncomplete as problem:
    print("incomplete:", problem)
"""


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        ("pango-1.0", "incomplete: PDFs cannot be made: cannot load library 'libpango-1.0-0'. Install"),
        ("harfbuzz-subset", "('libharfbuzz-subset is missing: PDFs are about nine times slower"),
    ],
)
def test_a_missing_library_is_one_clear_line(hidden: str, said: str) -> None:
    """Without Pango nothing is drawn, without the subset library slowly: one line says what to install."""
    answer = subprocess.run(
        [sys.executable, "-c", HIDDEN_LIBRARY.format(hidden=hidden)],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip

    assert answer.stdout.startswith(said), answer.stdout
    assert len(answer.stdout.splitlines()) == 1
    assert "libharfbuzz-subset0" in answer.stdout


def test_a_broken_stylesheet_is_noticed() -> None:
    """A style that WeasyPrint does not understand fails at once, not as an ugly page."""
    with pytest.raises(SetupIncomplete, match=r"A stylesheet cannot be used: .*colour"):
        pdf._press()._css("p { colour: red }")


def test_amounts_of_many_digits_keep_to_their_columns() -> None:
    """Eight-digit prices and amounts stand whole, each in its own place."""
    line = a_line(quantity=1_250_000, price="15.00375", amount=1_875_468_750)
    facts = replace(an_invoice(line, rate=Decimal(0)), currency="EUR")
    (text,) = texts(drawn(facts).content)

    assert "1,250,000 €15.00375 €18,754,687.50" in text


def test_drawing_leaves_the_collector_as_it_was() -> None:
    """Garbage collection is off only while a page is drawn, and stays off for those who had it off."""
    assert gc.isenabled()
    pdf.draw(view_of(SHAPES["one_line"]))
    assert gc.isenabled()
    gc.disable()
    try:
        pdf.draw(view_of(SHAPES["one_line"]))
        assert not gc.isenabled()
    finally:
        gc.enable()
