"""Change the billing rules in thousands of small ways and see whether a test notices each one.

A change that nobody notices is a hole in the tests. Takes long; what earlier runs left in `mutants/` is used.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MUTMUT = Path(sys.executable).with_name("mutmut")
UNNOTICED = (": survived", ": no tests", ": suspicious")


def main(patterns: list[str]) -> int:
    """Run over all of `app/billing`, or over names like `app.billing.money.*`; 1 if one went unnoticed."""
    status = subprocess.run([MUTMUT, "run", *patterns], cwd=ROOT, check=False).returncode
    if status != 0:
        return status
    results = subprocess.run([MUTMUT, "results"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    unnoticed = [line.strip() for line in results.splitlines() if line.endswith(UNNOTICED)]
    print("\n".join([*unnoticed, f"{len(unnoticed)} changes went unnoticed; `mutmut show NAME` prints one."]))
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
