"""A render process that does not keep the rules, for the tests: the environment variable ODD says which."""

import json
import os
import sys
import time
from typing import Any

READY: dict[str, Any] = {"status": "ready", "warnings": []}
DONE: dict[str, Any] = {
    "status": "done",
    "number": "X",
    "size": 4,
    "sha256": "0" * 64,
    "pages": 1,
    "unprintable": [],
}
ANSWERS = {
    "damaged": json.dumps(DONE).encode() + b"\n%PDF",
    "endless": json.dumps(DONE | {"size": 10**12}).encode() + b"\n",
    "garbage": b"weather: fine\n",
    "flood": b"x" * 200_000,
    "half": json.dumps(DONE).encode() + b"\n%P",
}


def main() -> None:
    """Greet, answer the first request as told, and stay."""
    odd = os.environ["ODD"]
    if odd == "silent":
        time.sleep(600)
    say(json.dumps(READY | {"warnings": ["made up"] if odd == "deaf" else []}).encode() + b"\n")
    sys.stdin.buffer.read(1)
    if odd in ANSWERS:
        say(ANSWERS[odd])
    if odd != "half":
        time.sleep(600)


def say(text: bytes) -> None:
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
