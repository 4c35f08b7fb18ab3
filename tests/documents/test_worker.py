"""What the render process answers, one request at a time."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.documents import html
from app.documents.compose import view_of
from app.documents.view import to_json
from app.documents.worker import LENGTH_BYTES, drawn
from tests.documents.builders import an_invoice, many_lines
from tests.documents.shapes import SHAPES

ROOT = Path(__file__).resolve().parents[2]


def request_for(view_json: str) -> bytes:
    """A request as the renderer writes it."""
    body = view_json.encode()
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def test_a_drawn_document_comes_with_its_facts() -> None:
    """Number, size, hash and pages of the answer are those of the PDF behind it."""
    header, content = drawn(to_json(view_of(SHAPES["credit_note"])).encode())

    assert content.startswith(b"%PDF-")
    assert header == {
        "status": "done",
        "number": "CN-2026-000007",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "pages": 1,
        "unprintable": (),
    }


@pytest.mark.parametrize(
    ("request_body", "problem"),
    [
        (b"{}", "This document view has schema None; this version reads 1."),
        (b"\xff\xfe", "This document could not be drawn (UnicodeDecodeError"),
        (
            to_json(view_of(SHAPES["one_line"])).replace("invoice/v1", "invoice/v9").encode(),
            "There is no document template 'invoice/v9'.",
        ),
    ],
)
def test_what_cannot_be_drawn_is_answered(
    request_body: bytes, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bad request is a failed answer with the reason; what was not foreseen also leaves its traceback."""
    header, content = drawn(request_body)

    assert header["status"] == "failed"
    assert header["problem"].startswith(problem)
    assert content == b""
    assert ("Traceback" in capsys.readouterr().err) == ("could not be drawn" in problem)


def test_a_fault_in_a_template_is_answered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A template that asks for what is not there fails its document, with the name in the reason."""
    folder = tmp_path / "invoice" / "v1"
    folder.mkdir(parents=True)
    (folder / "page.html").write_text("{{ view.surprise }}", encoding="utf-8")
    monkeypatch.setattr(html, "TEMPLATES", tmp_path)
    html._environment.cache_clear()
    try:
        header, _ = drawn(to_json(view_of(SHAPES["one_line"])).encode())
    finally:
        html._environment.cache_clear()

    assert header["problem"].startswith("This document could not be drawn (UndefinedError: ")
    assert "surprise" in header["problem"]
    assert "surprise" in capsys.readouterr().err


@pytest.fixture
def process(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A render process that has said it is ready."""
    command = [sys.executable, "-m", "app.documents.worker", str(tmp_path / "work")]
    (tmp_path / "work").mkdir()
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert header_of(running) == {"status": "ready", "warnings": []}
        yield running
        running.kill()


def header_of(running: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """The next header the process writes."""
    assert running.stdout is not None
    found: dict[str, Any] = json.loads(running.stdout.readline())
    return found


def test_the_process_draws_and_goes_when_the_input_ends(
    process: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    """Two documents, the second after a failure; then the input ends and an idle process goes in peace."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(request_for("{}") + request_for(to_json(view_of(SHAPES["one_line"]))))
    process.stdin.flush()

    assert header_of(process)["status"] == "failed"
    header = header_of(process)
    content = process.stdout.read(header["size"])
    assert hashlib.sha256(content).hexdigest() == header["sha256"]

    process.stdin.close()
    assert process.wait(timeout=10) == 0
    assert process.stdout.read() == b"", "nothing but answers on standard output"
    assert list(tmp_path.iterdir()) == [], "it took its temporary files along"


def test_the_process_does_not_finish_a_page_nobody_waits_for(process: "subprocess.Popen[bytes]") -> None:
    """When the input ends in the middle of a long document, the process ends too, by force."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(request_for(to_json(view_of(an_invoice(*many_lines(1_900))))))
    process.stdin.close()

    assert process.wait(timeout=20) == 1
    assert process.stdout.read() == b""


def test_half_a_request_is_no_request(process: "subprocess.Popen[bytes]") -> None:
    """A writer that dies in the middle of a request leaves nothing to draw."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(request_for(to_json(view_of(SHAPES["one_line"])))[:-1])
    process.stdin.close()

    assert process.wait(timeout=10) == 0
    assert process.stdout.read() == b""
