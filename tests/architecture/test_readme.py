"""The README is true: its commands run, its targets exist, its paths lead somewhere."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
SECONDS_MAX = 60


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], int]]:
    """What `make run` does after its set-up, on a database of its own; the environment and the port."""
    port = free_port()
    file = tmp_path_factory.mktemp("readme") / "seatport.db"
    environment = {
        **os.environ,
        "SEATPORT_MODE": "demo",
        "SEATPORT_DATABASE_URL": f"sqlite+aiosqlite:///{file}",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    recipe = subprocess.run(
        ["make", "--dry-run", "--silent", "run", f"PORT={port}"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    *steps, serve = [line for line in recipe if "seatport" in line]
    for step in steps:
        subprocess.run(step, shell=True, cwd=ROOT, env=environment, check=True, capture_output=True)  # noqa: S602
    server = subprocess.Popen(shlex.split(serve.removeprefix("exec ")), cwd=ROOT, env=environment)
    try:
        wait_until_ready(port)
        yield environment, port
    finally:
        server.terminate()
        server.wait(SECONDS_MAX)


def wait_until_ready(port: int) -> None:
    """Ask the server until it is ready."""
    ends = time.monotonic() + SECONDS_MAX
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            assert time.monotonic() < ends, "the server did not become ready"
            time.sleep(0.2)


def test_the_commands_by_hand_run_beside_the_server(demo: tuple[dict[str, str], int]) -> None:
    """The block under "Try it" runs as it stands, and its query answers with acme's seats."""
    environment, port = demo
    output = run_block("seatport token", environment, port)

    answer, _ = json.JSONDecoder().raw_decode(output[output.index("{") :])
    (balance,) = answer["data"]["customer"]["seatBalances"]
    assert balance["committed"] == 15
    assert balance["available"] == balance["committed"] - balance["inUse"]


def test_the_product_reports_a_seat(demo: tuple[dict[str, str], int]) -> None:
    """The block under "Server to server" runs as it stands: a seat is free, and somebody takes it."""
    environment, port = demo
    output = run_block("seatport api-key", environment, port)

    entitled, end = json.JSONDecoder().raw_decode(output)
    recorded, _ = json.JSONDecoder().raw_decode(output[end:])
    assert entitled["allowed"] is True
    assert [result["outcome"] for result in recorded["results"]] == ["RECORDED"]


def test_the_product_lets_a_person_in(demo: tuple[dict[str, str], int]) -> None:
    """The block under "Access" runs as it stands, and answers with a link."""
    environment, port = demo
    answer = json.loads(run_block("/v1/portal-links", environment, port))

    assert answer["url"].startswith(f"http://127.0.0.1:{port}/portal/enter#spp_link_")


def run_block(mark: str, environment: dict[str, str], port: int) -> str:
    """What a block of the README prints, beside the server at a port."""
    block = next(block for block in BLOCKS if mark in block).replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))))
def test_every_target_exists(target: str) -> None:
    """Each `make TARGET` that the README names is one that make knows."""
    known = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert f"make {target} " in known


@pytest.mark.parametrize("command", sorted(set(re.findall(r"seatport ([a-z-]+)", README))))
def test_every_command_exists(command: str) -> None:
    """Each `seatport COMMAND` that the README names is one that the program knows."""
    binary = Path(sys.executable).with_name("seatport")
    done = subprocess.run([binary, command, "--help"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"\b(?:app|graphql|tests|templates)/[\w./]*", README)))
)
def test_every_path_leads_somewhere(path: str) -> None:
    """Each path that the README names exists."""
    assert (ROOT / path).exists()


def test_every_setting_is_read() -> None:
    """Each setting of the README's table is read by the program, and the other way round."""
    told = set(re.findall(r"^\| `((?:SEATPORT_\w+|PORT))`", README, re.MULTILINE))
    read = set(
        re.findall(r'"(SEATPORT_[A-Z_]+|PORT)"', (ROOT / "app/settings.py").read_text(encoding="utf-8"))
    )

    assert told == read
