"""Run the property tests with many more examples than `make test` does. Never part of CI: it takes hours.

`EXAMPLES` are those of each property, `QUERIES` the generated GraphQL operations, `REQUESTS` those of each
operation of the OpenAPI document.
"""

import os
import sys

import pytest

EXAMPLES = int(os.environ.get("EXAMPLES", "20000"))
GENERATED = ("tests/contract/test_generated.py", "tests/api/rest/test_generated.py")


class LongRun:
    """A pytest plugin that makes the long profile the one in force, before any test is collected."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        from hypothesis import HealthCheck, settings  # noqa: PLC0415  Its own pytest plugin wants to be first.

        slow = [HealthCheck.too_slow]
        settings.register_profile(
            "fuzz", max_examples=EXAMPLES, deadline=None, derandomize=False, suppress_health_check=slow
        )
        settings.load_profile("fuzz")
        print(f"{EXAMPLES} examples for each property that does not fix its own number.", flush=True)


def main(extra: list[str]) -> int:
    """Run every test that draws its input from Hypothesis, then those generated from the contracts; only the
    first, of what is named, if anything is.
    """
    os.environ.setdefault("QUERIES", "50000")
    os.environ.setdefault("REQUESTS", "500")
    properties = pytest.main(["-m", "hypothesis", *extra], plugins=[LongRun()])
    return int(properties or (not extra and pytest.main([*GENERATED])))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
