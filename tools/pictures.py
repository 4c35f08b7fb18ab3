"""Take the pictures of the README: the explorer with a preview, and the invoice of the change it shows.

Each run makes a demo of its own and serves it on a free port, so that both show what a newcomer gets.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image, ImageChops
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from tools.system import CHROMIUM

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "app" / "assets" / "pictures"
SEATPORT = (sys.executable, "-m", "app")
SECONDS_MAX = 60
WINDOW = ViewportSize(width=1440, height=820)
INVOICE_WIDTH = 720
MARGIN = 40
PAPER = "#ffffff"


def main() -> int:
    """Take both; 1 if one is larger than a README should load."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="seatport-pictures-") as folder, demo(Path(folder)) as url:
        screen, pdf = explored(url)
    explorer = Image.open(BytesIO(screen)).convert("RGB")
    worked = [
        kept(explorer, "explorer.png", colours=64, bytes_max=80_000),
        kept(first_page(pdf), "invoice.png", colours=16, bytes_max=30_000),
    ]
    return 0 if all(worked) else 1


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """A new demo, served; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    own = {"SEATPORT_MODE": "demo", "SEATPORT_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/seatport.db"}
    environ = {**os.environ, **own, "SEATPORT_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    for command in ("migrate", "demo"):
        subprocess.run([*SEATPORT, command], cwd=ROOT, env=environ, check=True)
    with subprocess.Popen([*SEATPORT, "serve", "--port", port], cwd=ROOT, env=environ) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    """Return when the server is ready.

    :raises RuntimeError: if it ends, or takes too long
    """
    deadline = time.monotonic() + SECONDS_MAX
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(url):  # noqa: S310  Our own address.
            return
        time.sleep(0.1)
    raise RuntimeError("The server did not become ready.")


def explored(url: str) -> tuple[bytes, bytes]:
    """A picture of the explorer with the preview on its screen; then the change is made, and its PDF read."""
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    is_root = os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox"] if is_root else []
        )
        page = browser.new_page(viewport=WINDOW)
        page.goto(f"{url}/graphiql")
        expect(page.locator(".monaco-editor[role=code]")).to_have_count(4)
        expect(page.get_by_label("Re-fetch GraphQL schema")).to_be_enabled()
        answer(page, "previewChangePlan")
        page.mouse.move(0, 0)
        page.wait_for_timeout(2000)  # The editors colour and measure what they show.
        screen = page.screenshot()
        changed = answer(page, "changePlan")["data"]["changePlan"]
        link = changed["invoice"]["pdf"]["url"]
        pdf = page.context.request.get(link).body()
        browser.close()
    return screen, pdf


def answer(page: Page, operation: str) -> dict[str, Any]:
    """Run the tab of an operation."""
    page.locator(".graphiql-tab-button").get_by_text(operation, exact=True).click()
    with page.expect_response("**/graphql") as waiting:
        page.get_by_role("button", name="Execute query").click()
    told: dict[str, Any] = waiting.value.json()
    expect(page.locator(".graphiql-response .view-lines")).to_contain_text(operation)
    return told


def first_page(pdf: bytes) -> Image.Image:
    """The first page of a document, without the empty paper below what it says."""
    page = pypdfium2.PdfDocument(pdf)[0]
    large: Image.Image = page.render(scale=2 * INVOICE_WIDTH / page.get_width()).to_pil().convert("RGB")
    picture = large.reduce(2)  # Hairlines and small letters come out evenly.
    body = picture.crop((0, 0, picture.width, picture.height - 2 * MARGIN))  # The page's number is below.
    box = ImageChops.difference(body, Image.new("RGB", body.size, PAPER)).getbbox()
    return picture.crop((0, 0, picture.width, box[3] + MARGIN if box else picture.height))


def kept(picture: Image.Image, name: str, *, colours: int, bytes_max: int) -> bool:
    """Write a picture with few colours; whether it is small enough."""
    few = picture.quantize(colours, dither=Image.Dither.NONE)
    few.save(PICTURES / name, optimize=True)
    size = (PICTURES / name).stat().st_size
    print(f"{name}: {few.width} × {few.height}, {size} bytes, of {bytes_max} allowed")
    return size <= bytes_max


if __name__ == "__main__":
    sys.exit(main())
