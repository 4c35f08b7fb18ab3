"""A view becomes the bytes of a PDF. Runs inside the render process, never in the server.

WeasyPrint is imported with the first use: it takes half a second, and where its libraries are missing it
prints a banner and raises; here that becomes one line that says what to install. Fonts and styles are read
once per process. Nothing on a page can fetch anything: the only addresses that open are our own font files.

The same view gives the same bytes in every process on one machine: no clock, no random, dates from the view.
"""

import contextlib
import gc
import hashlib
import io
import logging
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from app.documents.errors import FontsLost, SetupIncomplete, TooManyLines
from app.documents.fonts import font_rules, fonts
from app.documents.html import html_of, styles_of
from app.documents.view import DocumentView

LINES_MAX: Final = 2_000
NO_SUBSET_LIBRARY: Final = (
    "libharfbuzz-subset is missing: PDFs are about nine times slower and not the same bytes twice. "
    "Install it: apt-get install libharfbuzz-subset0 (Debian), dnf install harfbuzz (Fedora)."
)
_LIBRARIES: Final = (
    "apt-get install --no-install-recommends libpangoft2-1.0-0 libharfbuzz-subset0 (Debian), "
    "dnf install pango harfbuzz (Fedora) or brew install pango (macOS)"
)
_NO_GLYPH: Final = ".notdef glyph rendered for Unicode string unsupported by fonts: "


@dataclass(frozen=True, slots=True)
class Pdf:
    """A drawn document. `unprintable` are the characters that no font has; they show as boxes."""

    content: bytes
    sha256: str
    pages: int
    unprintable: tuple[str, ...]


def render(view: DocumentView) -> bytes:
    """The PDF of a view; errors as `draw`."""
    return draw(view).content


def draw(view: DocumentView) -> Pdf:
    """The PDF of a view, and what is to be said about it.

    Raises TooManyLines, ViewInvalid (no such template), SetupIncomplete (fonts or libraries missing) and
    FontsLost, after which this process is of no more use.
    """
    if view.line_count > LINES_MAX:
        raise TooManyLines(
            f"{view.title} has {view.line_count} lines; a document may have {LINES_MAX}. "
            "Split it into several documents."
        )
    press = _press()
    page = html_of(view)
    notices = _Notices()
    with _collecting(notices), _without_gc():
        document = press.weasyprint.HTML(string=page, url_fetcher=press.fetcher).render(
            stylesheets=[press.fonts, press.styles(view.template)],
            font_config=press.font_config,
            pdf_tags=True,
        )
        content: bytes = document.write_pdf(pdf_tags=True)
    press.check_fonts()
    return Pdf(content, hashlib.sha256(content).hexdigest(), len(document.pages), notices.unprintable)


def warm_up() -> tuple[str, ...]:
    """Load libraries, fonts and styles now.

    Returns warnings for the operator. Raises SetupIncomplete.
    """
    ffi: Any = sys.modules[f"{_press().weasyprint.__name__}.text.ffi"]
    return () if ffi.harfbuzz_subset is not None else (NO_SUBSET_LIBRARY,)


class _Press:
    """WeasyPrint with everything it keeps between two documents."""

    def __init__(self) -> None:
        self.weasyprint = _weasyprint()
        text: Any = sys.modules["weasyprint.text.fonts"]
        self.font_config = text.FontConfiguration()
        self.fetcher = _closed_fetcher({font.url for font in fonts()})
        self.fonts = self._css(font_rules())
        folder: Path = self.font_config._folder  # noqa: SLF001  # Nothing else tells where the copies are.
        self._copies = tuple(folder.iterdir())
        self._styles: dict[str, Any] = {}

    def check_fonts(self) -> None:
        """Raise FontsLost if the copies that WeasyPrint made of our fonts are gone.

        Pango opens them when it first needs them. A cleaner of old temporary files would turn documents into
        boxes, stored for ever.
        """
        if lost := [path.name for path in self._copies if not path.is_file()]:
            raise FontsLost(
                f"{len(lost)} of {len(self._copies)} font copies in {self._copies[0].parent} are gone."
            )

    def styles(self, template: str) -> Any:
        """The styles of a template, read once."""
        if template not in self._styles:
            self._styles[template] = self._css(styles_of(template))
        return self._styles[template]

    def _css(self, text: str) -> Any:
        notices = _Notices()
        with _collecting(notices):
            css = self.weasyprint.CSS(string=text, font_config=self.font_config, url_fetcher=self.fetcher)
        if notices.messages:
            raise SetupIncomplete(f"A stylesheet cannot be used: {'; '.join(notices.messages)}")
        return css


@cache
def _press() -> _Press:
    return _Press()


def _weasyprint() -> ModuleType:
    """WeasyPrint, or SetupIncomplete with one line instead of its banner on standard output."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import weasyprint  # noqa: PLC0415  # Costs half a second, and fails where libraries are missing.
    except OSError as error:
        problem = str(error).splitlines()[0].partition(":")[0]
        raise SetupIncomplete(
            f"PDFs cannot be made: {problem}. Install the libraries: {_LIBRARIES}."
        ) from None
    module: ModuleType = weasyprint
    return module


def _closed_fetcher(allowed: set[str]) -> Any:
    """A fetcher that opens the given addresses and refuses all others, whatever their scheme."""
    urls: Any = sys.modules["weasyprint.urls"]

    class ClosedFetcher(urls.URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:
            if url not in allowed:
                raise ValueError(f"A document may not fetch {url}")
            return super().fetch(url, headers)

    return ClosedFetcher()


class _Notices(logging.Handler):
    """What WeasyPrint warns of while it works."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

    @property
    def unprintable(self) -> tuple[str, ...]:
        """Characters without a glyph, each once, like `"\u1200" (U+1200)`."""
        found = (message.partition(_NO_GLYPH)[2] for message in self.messages)
        return tuple(dict.fromkeys(character for character in found if character))


@contextlib.contextmanager
def _collecting(notices: _Notices) -> Iterator[None]:
    logger = logging.getLogger("weasyprint")
    logger.addHandler(notices)
    try:
        yield
    finally:
        logger.removeHandler(notices)


@contextlib.contextmanager
def _without_gc() -> Iterator[None]:
    """Layout makes many objects and little garbage: looking for it costs a quarter of a long document."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
