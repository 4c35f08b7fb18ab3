"""Kill every deed before every statement, before its commit and after it, and do it again.

Run as `python -m tests.proofs.boundaries URL FOLDER DEED…`. This process imports the program once and forks a
child for each kill, so that each takes a fraction of a second. What is left after a kill and the deed done
again is compared with what the deed leaves when nothing disturbs it: every row of every table, ids aside.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import pickle
import re
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy import event, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from app.store.metadata import metadata
from app.store.transaction import Store
from tests.proofs.deeds import Scene, does, prepared

ID: Final = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?7[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}")


@dataclass(frozen=True)
class Place:
    """A database that is copied for every child, under a name of this process, and where the children leave
    their answers.
    """

    base: str
    folder: Path
    name: str

    @property
    def on_sqlite(self) -> bool:
        return self.base.startswith("sqlite")

    @property
    def copy(self) -> str:
        """The address of the copy."""
        name = f"{self.folder}/{self.name}.db" if self.on_sqlite else self.name
        return make_url(self.base).set(database=name).render_as_string(hide_password=False)

    @property
    def answer(self) -> Path:
        return self.folder / f"{self.name}.answer"

    @property
    def scene(self) -> Path:
        return self.folder / "scene"

    async def copied(self) -> None:
        """A fresh copy of the base."""
        if self.on_sqlite:
            source = Path(make_url(self.base).database or "")
            for left in self.folder.glob(f"{self.name}.db*"):
                left.unlink()
            shutil.copyfile(source, self.folder / f"{self.name}.db")
            return
        url = make_url(self.base)
        host = str(url.query["host"])
        connection = await asyncpg.connect(host=host, user=url.username, database="postgres")
        await connection.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
        await connection.execute(f'CREATE DATABASE {self.name} TEMPLATE "{url.database}" STRATEGY file_copy')
        await connection.close()


class Reaper:
    """Counts the boundaries of a deed, and ends this process at one of them as a power cut would."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.count = 0

    def watch(self, store: Store) -> None:
        """Count the statements and commits of a store's writing side."""
        engine = store.writer.sync_engine
        for name in ("before_cursor_execute", "commit"):
            event.listen(engine, name, self.reach)

    def reach(self, *_: Any) -> None:
        """One more boundary."""
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def forked(work: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Do work in a child that has all that this process imported; its status."""
    child = os.fork()
    if not child:
        try:
            asyncio.run(work())
        except BaseException:  # noqa: BLE001  The parent is told, whatever it is.
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


async def digest(url: str) -> str:
    """All rows of all tables, ids aside, and the digests that are of ids."""
    engine = create_async_engine(url)
    tables: dict[str, list[str]] = {}
    async with engine.connect() as connection:
        for table in metadata.sorted_tables:
            rows = await connection.execute(select(*(c for c in table.columns if c.name != "digest")))
            tables[table.name] = sorted(ID.sub("#", repr(tuple(row))) for row in rows)
    await engine.dispose()
    return hashlib.sha256(json.dumps(tables).encode()).hexdigest()


def boundaries(place: Place, scene: Scene, name: str) -> tuple[int, int]:
    """Kill a deed at every boundary; how many there were, and how many kills came to another end.

    What a kill leaves as it was before needs no fresh copy, and to do the deed again from there is to do it
    for the first time; one in eight of those is done again all the same.
    """

    async def undisturbed() -> None:
        await place.copied()
        before = await digest(place.copy)
        reaper = Reaper(None)
        await does(place.copy, name, scene, reaper.watch)
        place.answer.write_text(json.dumps([reaper.count, before, await digest(place.copy)]))

    assert forked(undisturbed) == 0, f"{name} fails by itself"
    count, before, expected = json.loads(place.answer.read_text())
    others, untouched = 0, False
    for at in range(1, count + 2):

        async def killed(*, at: int = at, fresh: bool = not untouched) -> None:
            if fresh:
                await place.copied()
            await does(place.copy, name, scene, Reaper(at).watch)
            os.kill(os.getpid(), signal.SIGKILL)

        async def looked_at(*, again: bool = at % 8 == 0) -> None:
            again = again or await digest(place.copy) != before
            if again:
                await does(place.copy, name, scene)
            place.answer.write_text(json.dumps([again, await digest(place.copy)]))

        assert forked(killed) == signal.SIGKILL, f"{name} was not killed at {at}"
        assert forked(looked_at) == 0, f"{name} fails after a kill at {at}"
        again, left = json.loads(place.answer.read_text())
        untouched = not again
        if left != (expected if again else before):
            others += 1
            sys.stderr.write(f"{name}: another end after a kill at {at} of {count + 1}\n")
    return count + 1, others


def main(base: str, folder: str, *names: str) -> None:
    """The named deeds; a line of JSON for each: its name, its boundaries, and how many of them went wrong.
    Without a name the customers are made, whom all processes of one folder share.
    """
    place = Place(base, Path(folder), f"copy_{os.getpid()}")
    if not names:
        place.scene.write_bytes(pickle.dumps(asyncio.run(prepared(base))))
        return
    scene = pickle.loads(place.scene.read_bytes())  # noqa: S301  The same tests wrote it.
    for name in names:
        print(json.dumps([name, *boundaries(place, scene, name)]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
