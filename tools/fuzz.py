"""Run the property tests with many more examples than `make test` does. Never part of CI: it takes hours."""

import os
import sys

import pytest
from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("EXAMPLES", "20000"))


def main(extra: list[str]) -> int:
    """Run every test that draws its input from Hypothesis; one that fixes its own number keeps it."""
    settings.register_profile(
        "fuzz",
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=False,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("fuzz")
    print(f"{EXAMPLES} examples for each property.", flush=True)
    return pytest.main(["-m", "hypothesis", "-p", "no:cacheprovider", *extra])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
