"""How long a warm render process takes for documents of different lengths."""

from typing import Final

from structlog.testing import capture_logs

from app.documents.compose import view_of
from app.documents.renderer import Renderer
from app.documents.view import to_json
from tests.benchmarks.measuring import Way, side_by_side, tell
from tests.documents.builders import an_invoice, many_lines

LINES: Final = (5, 50, 500)
ROUNDS: Final = 2


async def test_pages_by_lines() -> None:
    """Invoices of 5, 50 and 500 lines, as ratios to the shortest."""
    renderer = Renderer()
    await renderer.start()
    views = {lines: to_json(view_of(an_invoice(*many_lines(lines)))) for lines in LINES}

    def drawing(lines: int) -> Way:
        return lambda: renderer.render(views[lines])

    ways = {f"{lines} lines": drawing(lines) for lines in LINES}
    with capture_logs():
        milliseconds = await side_by_side(ways, times=1, rounds=ROUNDS)
    tell("PDF, warm", milliseconds)
    await renderer.stop()
