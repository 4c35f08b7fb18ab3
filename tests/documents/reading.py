"""Reading PDFs back: text and pages, fonts, and whether each drawn glyph is the one its text says."""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fontTools.pens.recordingPen import DecomposingRecordingPen  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, StreamObject

from app.assets import FONTS

SOURCES = {
    "Seatport-Inter": "Inter_400Regular.ttf",
    "Seatport-Inter-Semi-Bold": "Inter_600SemiBold.ttf",
    "Seatport-JP": "NotoSansJP_400Regular.ttf",
    "Seatport-KR": "NotoSansKR_400Regular.ttf",
    "Seatport-SC": "NotoSansSC_400Regular.ttf",
}
_BLOCK = re.compile(r"beginbf(char|range)(.*?)endbf", re.DOTALL)
_HEX = re.compile(r"<([0-9a-fA-F]*)>")


@dataclass(frozen=True)
class PdfFont:
    """A font of a PDF: its name without the subset's tag, its embedded file, and what its glyphs mean."""

    name: str
    is_subset: bool
    file: bytes | None
    meanings: Mapping[int, str]


def reader(content: bytes) -> PdfReader:
    """A PDF, open for questions."""
    return PdfReader(io.BytesIO(content))


def texts(content: bytes) -> list[str]:
    """The text of each page, spaces and line ends made single spaces."""
    return [" ".join(page.extract_text().split()) for page in reader(content).pages]


def fonts_of(content: bytes) -> list[PdfFont]:
    """Every font of every page, each once."""
    found = {font.name: font for page in reader(content).pages for font in _page_fonts(page)}
    return list(found.values())


def wrong_glyphs(content: bytes, sources: Mapping[str, Path]) -> list[str]:
    """Glyphs whose outline is not the one that the source font draws for the character they stand for.

    Only fonts in `sources` are looked at, by the name they have in the PDF. A glyph may also be a variant of
    the character's own, such as its tabular figure.
    """
    return [
        f"{font.name}: glyph {glyph} stands for {meaning!r}"
        for font in fonts_of(content)
        if font.name in sources
        for glyph, meaning in _misdrawn(font, sources[font.name])
    ]


def our_sources() -> dict[str, Path]:
    """The files that our fonts must come from, by their names in a PDF."""
    return {name: FONTS / file for name, file in SOURCES.items()}


def _misdrawn(font: PdfFont, source: Path) -> Iterator[tuple[int, str]]:
    assert font.file is not None, f"{font.name} is embedded"
    embedded = TTFont(io.BytesIO(font.file))
    for glyph, meaning in font.meanings.items():
        if len(meaning) == 1 and not meaning.isspace():
            drawn = _outline(embedded, embedded.getGlyphName(glyph))
            if drawn not in _expected(source, meaning):
                yield glyph, meaning


@cache
def _expected(source: Path, character: str) -> tuple[Any, ...]:
    """The outlines of a character and of the variants that are named after it."""
    font = _font(source)
    name = font.getBestCmap()[ord(character)]
    names = [other for other in font.getGlyphOrder() if other == name or other.startswith(f"{name}.")]
    return tuple(_outline(font, other) for other in names)


@cache
def _font(path: Path) -> TTFont:
    return TTFont(io.BytesIO(path.read_bytes()))


def _outline(font: TTFont, name: str) -> Any:
    glyphs = font.getGlyphSet()
    pen = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(pen)
    return pen.value


def _page_fonts(page: DictionaryObject) -> Iterator[PdfFont]:
    for reference in page["/Resources"]["/Font"].values():  # type: ignore[index]
        font = reference.get_object()
        descendants = font["/DescendantFonts"]
        assert isinstance(descendants, ArrayObject)
        descriptor = descendants[0].get_object()["/FontDescriptor"].get_object()
        stream = descriptor.get("/FontFile2")
        tag, _, name = str(font["/BaseFont"]).removeprefix("/").rpartition("+")
        data = stream.get_object().get_data() if stream is not None else None
        yield PdfFont(name, bool(tag), data, _meanings(font["/ToUnicode"]))


def _meanings(stream: Any) -> dict[int, str]:
    """The ToUnicode map of a font: glyph to text."""
    assert isinstance(stream, StreamObject)
    found: dict[int, str] = {}
    for kind, body in _BLOCK.findall(stream.get_data().decode("latin-1")):
        codes = _HEX.findall(body)
        if kind == "char":
            pairs = zip(codes[::2], codes[1::2], strict=True)
            found |= {int(code, 16): bytes.fromhex(text).decode("utf-16-be") for code, text in pairs}
        else:
            assert not codes, "WeasyPrint writes no ranges; teach this function if it does"
    return found
