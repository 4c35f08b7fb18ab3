"""A power cut at any moment of anything that writes: the deed was done or was not, and done again it is done
once.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import copied
from tests.proofs.deeds import DEEDS

ROOT: Final = Path(__file__).resolve().parents[2]


@pytest.fixture
def base_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database without a row in it."""
    yield from copied(request.getfixturevalue(f"{engine_name}_template"), tmp_path, request)


def test_a_kill_before_every_statement_of_every_deed(base_url: str, tmp_path: Path) -> None:
    """SIGKILL before each statement, before the commit and after it, of every verb of members and of the
    vendor and of the billing run; then the same again with the same key. Each time every row is as if nothing
    had happened.
    """
    with boundaries(base_url, tmp_path) as making:
        assert making.wait() == 0
    names = list(DEEDS)
    found: dict[str, tuple[int, int]] = {}
    with (
        boundaries(base_url, tmp_path, *names[::2]) as one,
        boundaries(base_url, tmp_path, *names[1::2]) as two,
    ):
        for process in (one, two):
            said, complaints = process.communicate()
            assert process.returncode == 0, complaints
            found |= {name: (count, others) for name, count, others in map(json.loads, said.splitlines())}
    kills = sum(count for count, _ in found.values())
    sys.stdout.write(f"{kills} kills in {len(found)} deeds: {found}\n")
    assert found.keys() == DEEDS.keys()
    assert {name: others for name, (_, others) in found.items() if others} == {}
    assert min(count for count, _ in found.values()) > 3, "a deed has statements"


def boundaries(*arguments: object) -> subprocess.Popen[str]:
    """A process that kills the deeds that it is told."""
    command = [sys.executable, "-m", "tests.proofs.boundaries", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
