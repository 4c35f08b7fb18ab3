"""A view becomes HTML by the template that it names. The template prints and repeats; it computes nothing.

Every printed value passes `_printable`, whatever the template does: cleaned, breakable, then escaped. A name
that is not in the view fails the page instead of leaving a gap in it.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.documents.errors import ViewInvalid
from app.documents.text import breakable, cleaned
from app.documents.view import DocumentView

_PACKAGED: Final = Path(__file__).parents[1] / "_data" / "templates"
_CHECKED_OUT: Final = Path(__file__).parents[2] / "templates"
TEMPLATES: Final = _PACKAGED if _PACKAGED.is_dir() else _CHECKED_OUT
"""Where templates lie: inside the installed package, or at the root of a checkout."""

_TEMPLATE: Final = re.compile(r"(invoice|credit_note)/v[1-9]\d{0,3}")


def html_of(view: DocumentView) -> str:
    """The page of a document as HTML without styles; `styles_of` gives these.

    Raises ViewInvalid if the view names a template that does not exist.
    """
    folder = _folder(view.template)
    return _environment().get_template(f"{folder}/page.html").render(view=view)


def styles_of(template: str) -> str:
    """The stylesheet of a template such as `invoice/v1`.

    Raises ViewInvalid if there is no such template.
    """
    return _environment().get_template(f"{_folder(template)}/page.css").render()


def _folder(template: str) -> str:
    if not _TEMPLATE.fullmatch(template) or not (TEMPLATES / template / "page.html").is_file():
        raise ViewInvalid(f"There is no document template {template!r}.")
    return template


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _printable(value: object) -> str:
    """What a template prints. Markup is what another template or macro made, already escaped."""
    return value if isinstance(value, Markup) else breakable(cleaned(str(value)))
