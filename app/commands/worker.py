"""`seatport worker`: bills and draws beside the servers, as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal

import click

from app.commands.common import asynchronous, opened, settings
from app.documents.renderer import Renderer
from app.main import configure_logging
from app.services.billing_run import BATCH
from app.worker import Worker


@click.command("worker")
@asynchronous
async def command() -> None:
    """Bill what is due and draw documents until Ctrl+C or SIGTERM, as a process of its own.

    Several may run at once, beside any number of servers.
    """
    wanted = settings()
    configure_logging(wanted.mode)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    renderer = Renderer()
    async with opened(wanted) as store:
        await renderer.start()
        try:
            async with Worker(store, renderer.render, batch=BATCH).running():
                click.echo(f"Seatport works, as process {os.getpid()}.")
                await stop.wait()
        finally:
            await renderer.stop()
