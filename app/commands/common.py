"""What all commands share: settings, the store, and how a mistake is told, in one line on standard error."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

import click

from app import logs
from app.billing.permissions import Actor, ActorKind
from app.clock import wall_clock
from app.services.demo.past import DemoImpossible
from app.settings import Mode, Settings, SettingsError
from app.store import migrate, system
from app.store.backups import BackupImpossible
from app.store.catalogs import NoCatalog
from app.store.engine import DatabaseUrlWrong, open_store
from app.store.grants import RoleUnfit
from app.store.reference import Reference
from app.store.transaction import Busy, Store

P = ParamSpec("P")
T = TypeVar("T")

EVERY: Final = 500
NO_SECRET: Final = "a command on the database signs nothing"  # noqa: S105  Nothing is signed with it.
OPERATOR: Final = Actor(ActorKind.SYSTEM, "command line")
TOLD: Final = (
    BackupImpossible,
    Busy,
    DatabaseUrlWrong,
    DemoImpossible,
    NoCatalog,
    SettingsError,
    migrate.DatabaseUnusable,
    migrate.ForeignDatabase,
    migrate.GuardsMissing,
    migrate.WrongHead,
    RoleUnfit,
)
"""Mistakes and outages whose message says all that a person needs."""


def told(command: Callable[P, T]) -> Callable[P, T]:
    """A command that tells its mistakes in one line on standard error and ends with exit code 1."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except TOLD as error:
            raise click.ClickException(str(error)) from error

    return wrapped


def asynchronous(command: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A command that runs in an event loop of its own, and tells its mistakes."""

    @told
    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(command(*args, **kwargs))

    return wrapped


def settings() -> Settings:
    """The settings of a command that signs nothing: it needs no secret, and makes none.

    :raises SettingsError: if one is wrong
    """
    return Settings.from_env({**os.environ, "SEATPORT_SECRET": NO_SECRET})


@asynccontextmanager
async def opened(wanted: Settings, clock: Callable[[], datetime] = wall_clock) -> AsyncIterator[Store]:
    """The store of a deployment, closed at the end.

    :raises WrongHead: if the database is not at this program's revision
    :raises DatabaseUnusable: if it cannot be reached
    """
    logs.configure(as_json=wanted.mode is Mode.PRODUCTION)
    await migrate.check(wanted.database_url)
    store = open_store(wanted.database_url, clock=clock)
    try:
        yield store
    finally:
        await store.close()


async def customer_called(store: Store, reference: str) -> Reference:
    """The customer with this reference; a command ends if there is none."""
    found = await store.system(system.customer_called, reference)
    if found is None:
        raise click.ClickException(
            f"There is no customer {reference!r}. Give the reference it is registered by."
        )
    return found


def accepted(outcome: Any, kind: type[T]) -> T:
    """The outcome of a service, if it did what was asked; else a command ends with what it refused."""
    if not isinstance(outcome, kind):
        raise click.ClickException(outcome.message)
    return outcome


class Counted:
    """Tells on standard error how far a long job is: at every step on a terminal, else once in a while."""

    def __init__(self, what: str, total: int | None = None) -> None:
        self._what = what
        self._of = f" of {total}" if total else ""
        self._terminal = sys.stderr.isatty()
        self._told = 0

    def show(self, done: int) -> None:
        """So many are done."""
        if self._terminal:
            click.echo(f"\r{self._what} {done}{self._of} ", nl=False, err=True)
            self._told = done
        elif done - self._told >= EVERY:
            click.echo(f"{self._what} {done}{self._of}", err=True)
            self._told = done

    def end(self) -> None:
        """Nothing more comes."""
        if self._terminal and self._told:
            click.echo(err=True)
