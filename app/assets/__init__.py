"""What the program shows but did not write: the explorer's bundle and the fonts of documents.
`python -m app.assets.build` makes both from npm packages at set-up; neither is ever committed.
"""

from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
DIST: Final = HERE / "dist"
"""The explorer's bundle with its `manifest.json`, served by `app.api.explorer`."""

FONTS: Final = HERE / "fonts"
"""Whole static TrueType files, one for each family and weight that `fonts.toml` names."""

PAGE: Final = HERE / "page.html"
"""The explorer's HTML, a `string.Template`."""
