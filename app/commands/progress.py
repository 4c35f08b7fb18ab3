"""How far a long command is: a bar with the rate and the time that is left, on a terminal alone."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

import click


class Progress:
    """A bar on standard error while a job of known size is done; nothing where nobody looks."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._began = time.monotonic()
        self._done = 0
        self._bar: Any = click.progressbar(
            length=max(total, 1),
            label=what,
            show_pos=True,
            show_eta=True,
            item_show_func=self._rate,
            file=sys.stderr,
            hidden=not (total and sys.stderr.isatty()),
        )

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.__exit__(kind, error, trace)

    def show(self, done: int) -> None:
        """So many are done. More than were expected stretch the bar."""
        self._bar.length = max(self._bar.length, done)
        self._bar.update(done - self._done, done)
        self._done = done

    def step(self) -> None:
        """One more is done."""
        self.show(self._done + 1)

    def _rate(self, done: int | None) -> str | None:
        seconds = time.monotonic() - self._began
        return f"{int((done or 0) / seconds)}/s" if done and seconds else None
