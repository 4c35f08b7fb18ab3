"""`seatport worker`: bills, collects, draws and delivers webhooks, as a process beside the servers."""

from __future__ import annotations

import asyncio
import os
import signal

import click

from app.commands.common import asynchronous, opened
from app.commands.starting import refuse_unsafe
from app.documents.renderer import Renderer
from app.main import configure_logging
from app.services.billing_run import BATCH
from app.settings import Settings


@click.command("worker")
@asynchronous
async def command() -> None:
    """Bill, collect, draw and deliver until Ctrl+C or SIGTERM.

    What a server does by itself, as a process of its own: bill and collect what is due, draw documents and
    deliver webhooks.

    Several may run at once, beside any number of servers, all with the same SEATPORT_SECRET.
    """
    wanted = Settings.from_env(os.environ)
    configure_logging(wanted.mode)
    await refuse_unsafe(wanted)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    renderer = Renderer()
    from app.assembly import working  # noqa: PLC0415  Other commands need not wait for the schema.

    async with opened(wanted) as store:
        await renderer.start()
        try:
            async with working(wanted, store, renderer, batch=BATCH):
                click.echo(f"Seatport works, as process {os.getpid()}.")
                await stop.wait()
        finally:
            await renderer.stop()
