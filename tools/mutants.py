"""Change the billing rules in thousands of small ways and see whether a test notices each one.

mutmut makes the changes: a copy of `app/billing` under `mutants/`, in which each is switched on by name. The
tests are collected there and run once, to learn which of them reach which function. Then every change is
switched on in a fork of this process that runs just those, quick ones first, until one fails. A change that
none notices is a hole in the tests, unless it changes nothing: those are explained in `tools/explained.txt`.
"""

import contextlib
import gc
import io
import os
import resource
import shutil
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from time import process_time
from typing import Final, NoReturn

import pytest
from mutmut.__main__ import create_mutants
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir, setup_source_paths, walk_source_files
from mutmut.utils.format_utils import mangled_name_from_mutant_name

ROOT: Final = Path(__file__).resolve().parents[1]
MUTANTS: Final = ROOT / "mutants"
EXPLAINED: Final = ROOT / "tools/explained.txt"
TESTS: Final = ("tests/billing", "tests/published")
OPTIONS: Final = ("-q", "-s", "--noconftest", "-p", "no:cacheprovider", "-m", "not long")
EXAMPLES: Final = 10
MEMORY: Final = 4 << 30
SURVIVED, NOTICED, UNREACHED, TIMEOUT = 0, 1, 33, 36  # As mutmut has them.


@dataclass(frozen=True, slots=True)
class Explained:
    """Changes of one place of `app/billing` that no test can notice, because they change nothing."""

    file: str
    why: str
    line: str
    changed: frozenset[str]


def explanations() -> tuple[Explained, ...]:
    """What `tools/explained.txt` says: the file and why, `- ` with the line, `+ ` with each change of it."""
    found = []
    for block in EXPLAINED.read_text(encoding="utf-8").strip().split("\n\n"):
        head, line, *changed = block.splitlines()
        file, _, why = head.partition(": ")
        new = frozenset(each.removeprefix("+ ") for each in changed)
        found.append(Explained(file, why, line.removeprefix("- "), new))
    return tuple(found)


def main(patterns: list[str]) -> int:
    """Run over all of `app/billing`, or over modules like `money` or names like `app.billing.money.x_split*`;
    1 if a change went unnoticed that is not explained.
    """
    os.chdir(ROOT)
    trial = Trial({path: list(chosen(names, patterns)) for path, names in changes().items()})
    with contextlib.chdir(MUTANTS):
        status = pytest.main([*OPTIONS, *TESTS], plugins=[trial])
    if status != pytest.ExitCode.OK:
        return int(status)
    left = len(trial.unnoticed) - len(trial.explained)
    print("\n".join(["", *scores(trial.found, trial.explained)]))
    print(
        f"{len(trial.explained)} more change nothing. {left} went unnoticed: `mutmut show NAME` prints one."
    )
    return 1 if left else 0


def changes() -> dict[Path, list[str]]:
    """Make all changes anew; their names, by the file that they change."""
    shutil.rmtree(MUTANTS, ignore_errors=True)
    MUTANTS.mkdir()
    with contextlib.redirect_stdout(io.StringIO()):
        copy_src_dir()
        copy_also_copy_files()
        setup_source_paths()
        create_mutants(max_children=1)
    made = {path: SourceFileMutationData(path=path) for path in sorted(walk_source_files())}
    for data in made.values():
        data.load()
    return {path: list(data.exit_code_by_key) for path, data in made.items()}


def chosen(names: Iterable[str], patterns: list[str]) -> Iterator[str]:
    """The names that a pattern fits, or all."""
    for name in names:
        fits = (fnmatch(name, each) or fnmatch(name, f"app.billing.{each}.*") for each in patterns)
        if not patterns or any(fits):
            yield name


class Trial:
    """A pytest plugin that runs the tests for every change instead of once."""

    def __init__(self, names: dict[Path, list[str]]) -> None:
        self.names = names
        self.reaching: defaultdict[str, list[pytest.Item]] = defaultdict(list)
        self.seconds: dict[pytest.Item, float] = {}
        self.found: dict[str, int] = {}
        self.unnoticed: list[str] = []
        self.explained: set[str] = set()
        self.forked = False

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """Let tests with random input try few, always the same; one that fails is not made any smaller."""
        from hypothesis import HealthCheck, Phase, settings  # noqa: PLC0415  pytest's Hypothesis is first.

        settings.register_profile(
            "mutants",
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=tuple(HealthCheck),
        )
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn what reaches what, then try change by change."""
        if not session.testsfailed:
            self._learn(session.items)
        if session.testsfailed:
            return True
        forget()
        gc.freeze()
        for path, names in self.names.items():
            self._try_all(path, names)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """In a fork, the first failure is all there is to know."""
        if self.forked and call.excinfo and not call.excinfo.errisinstance(pytest.skip.Exception):
            os._exit(NOTICED)

    def _learn(self, items: list[pytest.Item]) -> None:
        """Which tests reach each function, and how long each takes."""
        set_mutant_under_test("stats")
        for item, following in zip(items, [*items[1:], None], strict=True):
            began = process_time()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self.seconds[item] = process_time() - began
            for function in reached():
                self.reaching[function].append(item)
            reached().clear()
        set_mutant_under_test("")

    def _try_all(self, path: Path, names: list[str]) -> None:
        """Try the changes of one file, print how many were noticed, and keep it for `mutmut show`."""
        if not names:
            return
        began = process_time() + children()
        codes = {name: self._try(name) for name in names}
        self.found |= codes
        with contextlib.chdir(ROOT):
            data = SourceFileMutationData(path=path)
            data.load()
            data.exit_code_by_key |= codes
            data.save()
            missed = [name for name, code in codes.items() if code in {SURVIVED, UNREACHED}]
            shown = {name: get_diff_for_mutant(name, path=path) for name in missed}
        explained = {name for name in missed if is_explained(shown[name], explanations())}
        self.unnoticed += missed
        self.explained |= explained
        for name in missed:
            if name not in explained:
                print(
                    f"\n{name}: {'not noticed' if codes[name] == SURVIVED else 'not reached'}\n{shown[name]}"
                )
        counts = f"{len(names)} tried, {len(missed)} not noticed, {len(explained)} of them explained"
        print(f"{path}: {counts}, {process_time() + children() - began:.0f} s", flush=True)

    def _try(self, name: str) -> int:
        """What becomes of one change."""
        items = sorted(self.reaching[mangled_name_from_mutant_name(name)], key=self.seconds.__getitem__)
        if not items:
            return UNREACHED
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            self._run(name, items)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return code if code >= 0 else TIMEOUT

    def _run(self, name: str, items: list[pytest.Item]) -> NoReturn:
        """In a fork: the tests that reach a change, until one fails or takes far longer than it should."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        set_mutant_under_test(name)
        self.forked = True
        try:
            for item, following in zip(items, [*items[1:], None], strict=True):
                signal.setitimer(signal.ITIMER_VIRTUAL, 1 + 10 * self.seconds[item])
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        except BaseException:  # noqa: BLE001  Whatever stops the tests has noticed the change.
            os._exit(NOTICED)
        os._exit(SURVIVED)


def reached() -> set[str]:
    """The functions that were called since this was emptied."""
    return state()._stats  # noqa: SLF001  mutmut writes it nowhere else.


def forget() -> None:
    """Empty the caches of the rules, which hold what they answered unchanged."""
    for name, module in sys.modules.items():
        if name.startswith("app.billing."):
            for each in vars(module).values():
                if clear := getattr(each, "cache_clear", None):
                    clear()


def children() -> float:
    """The processor time of the forks so far, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def is_explained(shown: str, explained: Iterable[Explained]) -> bool:
    """Whether a difference, as `mutmut show` prints it, is one that is explained, or what only a bug can see:
    the text of an assertion, and the case that cannot be.
    """
    file = next((line.rpartition("/")[2] for line in shown.splitlines() if line.startswith("---")), "")
    lines = [line for line in shown.splitlines() if not line.startswith(("---", "+++"))]
    old, new = (" ".join(line[1:].strip() for line in lines if line[:1] == sign) for sign in "-+")
    if old.startswith("assert ") and ', "' in old:
        return old.partition(', "')[0] == new.partition(', "')[0]
    if old.removeprefix("case _: ").startswith("assert_never("):
        return True
    return any((file, old) == (each.file, each.line) and new in each.changed for each in explained)


def scores(found: dict[str, int], explained: set[str]) -> Iterator[str]:
    """How many of the changes that change something were noticed, module by module and together."""
    tried: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    for name, code in found.items():
        if name not in explained:
            for module in (".".join(name.split(".")[:3]), "together"):
                tried[module] += 1
                noticed[module] += code not in {SURVIVED, UNREACHED}
    for module, count in sorted(tried.items()):
        yield f"{module:<28} {noticed[module]:5} of {count:5} noticed {100 * noticed[module] / count:6.1f} %"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
