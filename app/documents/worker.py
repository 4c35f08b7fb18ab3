"""The render process: reads views on standard input, writes PDFs on standard output, one after the other.

`python -m app.documents.worker FOLDER` is started by `renderer` and by nobody else. It has no database, no
settings and no socket, only two pipes. It ends by itself when its input ends, even in the middle of a page:
it never outlives the server. FOLDER takes its temporary files and goes with it.

Input: the length of a view's JSON in UTF-8 as 8 bytes, big-endian, then the JSON. Output: a line of JSON, the
header; after `done` as many bytes of PDF as it says. The first header is `ready` or `unfit`.
"""

import gc
import json
import os
import queue
import shutil
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any, BinaryIO, Final

from app.documents import pdf
from app.documents.errors import DocumentError, FontsLost, SetupIncomplete
from app.documents.view import from_json

LENGTH_BYTES: Final = 8
UNPRINTABLE_MAX: Final = 20
READ_BYTES_MAX: Final = 1 << 20
GRACE_SECONDS: Final = 0.5


def main() -> None:
    """Draw until the input ends."""
    folder = Path(sys.argv[1])
    try:
        work(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def work(folder: Path) -> None:
    """Get ready, then answer requests until an empty one."""
    tempfile.tempdir = str(folder)
    answers = _private_output()
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, folder), daemon=True).start()
    try:
        warnings = pdf.warm_up()
    except SetupIncomplete as problem:
        _answer(answers, {"status": "unfit", "problem": str(problem)})
        return
    gc.collect()
    gc.freeze()  # What is loaded now stays; looking through it again and again finds nothing.
    _answer(answers, {"status": "ready", "warnings": warnings})
    while request := requests.get():
        header, content = drawn(request)
        _answer(answers, header, content)
        gc.collect()


def drawn(request: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and the PDF of one request; a document that cannot be drawn fails, the process goes on.

    Raises FontsLost, which ends the process: the next one has fonts again.
    """
    try:
        view = from_json(request.decode("utf-8"))
        done = pdf.draw(view)
    except FontsLost:
        raise
    except DocumentError as problem:
        return {"status": "failed", "problem": str(problem)}, b""
    except Exception as error:  # noqa: BLE001  # One page must not end the process; the log has the whole story.
        traceback.print_exc()
        about = f"This document could not be drawn ({type(error).__name__}: {error})."
        return {"status": "failed", "problem": about}, b""
    header = {
        "status": "done",
        "number": view.number,
        "size": len(done.content),
        "sha256": done.sha256,
        "pages": done.pages,
        "unprintable": done.unprintable[:UNPRINTABLE_MAX],
    }
    return header, done.content


def _read(requests: queue.SimpleQueue[bytes], folder: Path) -> None:
    """Pass requests on. When the input ends, an empty request lets an idle process go; one that is busy is
    ended in the middle.
    """
    with open(0, "rb", buffering=0, closefd=False) as source:
        while body := _message(source):
            requests.put(body)
    requests.put(b"")
    time.sleep(GRACE_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _message(source: BinaryIO) -> bytes:
    """The next request; empty if the input ended before it was whole."""
    size = int.from_bytes(_exactly(source, LENGTH_BYTES), "big")
    body = _exactly(source, size)
    return body if len(body) == size else b""


def _exactly(source: BinaryIO, size: int) -> bytes:
    """So many bytes, fewer only if the input ends."""
    parts: list[bytes] = []
    while size and (part := source.read(min(size, READ_BYTES_MAX))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _private_output() -> BinaryIO:
    """Standard output for answers alone: whatever else prints goes to standard error from now on."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _answer(answers: BinaryIO, header: dict[str, Any], content: bytes = b"") -> None:
    answers.write(json.dumps(header).encode() + b"\n" + content)
    answers.flush()


if __name__ == "__main__":
    main()
