"""`python -m tests.published FILE.jsonl`: run a file of cases; the last line is `N passed, N failed`.

The status is 0 if none failed, 1 if one did, 2 if there is nothing to read.
"""

import sys
from pathlib import Path

from tests.published.running import run


def main(arguments: list[str]) -> int:
    """Run the file that the only argument names."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.published FILE.jsonl\n")
        return 2
    try:
        text = Path(arguments[0]).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        sys.stderr.write(f"cannot read {arguments[0]}: {wrong}\n")
        return 2
    report = run(text.split("\n"))
    sys.stdout.write("".join(f"{line}\n" for line in report.lines()))
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
