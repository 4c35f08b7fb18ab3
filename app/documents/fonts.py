"""The font files of documents, as `@font-face` rules under names of our own.

The names keep our files apart from a font of the same name that a machine may have: two files with one
description end in one PDF as wrong glyphs, which no text check notices. What none of our files can draw falls
to the machine's own fonts.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.assets import FONTS, HERE
from app.documents.errors import SetupIncomplete

OWN_NAMES: Final = {
    "Inter": "Seatport Inter",
    "Noto Sans Arabic": "Seatport Arabic",
    "Noto Sans Devanagari": "Seatport Devanagari",
    "Noto Sans Hebrew": "Seatport Hebrew",
    "Noto Sans Thai": "Seatport Thai",
    "Noto Sans JP": "Seatport JP",
    "Noto Sans KR": "Seatport KR",
    "Noto Sans SC": "Seatport SC",
}
"""What a stylesheet calls each family of `fonts.toml`."""


@dataclass(frozen=True, slots=True)
class Font:
    """One whole font file and how a stylesheet asks for it."""

    family: str
    weight: int
    path: Path

    @property
    def url(self) -> str:
        return self.path.as_uri()

    @property
    def rule(self) -> str:
        about = f'font-family: "{self.family}"; font-weight: {self.weight}'
        return f'@font-face {{ {about}; src: url("{self.url}") }}'


def fonts(folder: Path = FONTS) -> tuple[Font, ...]:
    """Every font of `fonts.toml`, its file in the folder.

    Raises SetupIncomplete if a file is missing.
    """
    families = tomllib.loads((HERE / "fonts.toml").read_text(encoding="utf-8"))["family"]
    found = tuple(
        Font(OWN_NAMES[family["name"]], file["weight"], (folder / Path(file["path"]).name).resolve())
        for family in families
        for file in family["files"]
    )
    missing = [font.path.name for font in found if not font.path.is_file()]
    if missing:
        raise SetupIncomplete(
            f"Fonts are missing in {folder}: {', '.join(missing)}. Run `make install`, which copies them."
        )
    return found


def font_rules() -> str:
    """The stylesheet that makes our fonts known."""
    return "\n".join(font.rule for font in fonts())
