"""`lamppost serve`: run the node, show how it goes, end with a summary."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lamppost.base.clock import SystemClock
from lamppost.base.errors import ConfigError
from lamppost.base.limits import raise_descriptor_limit
from lamppost.base.logging import configure_logging
from lamppost.base.signals import on_signals
from lamppost.cli.configuration import DEFAULT_CONFIG, one_camera
from lamppost.cli.errors import one_line_errors
from lamppost.cli.greeting import Greeting
from lamppost.cli.progress import open_progress
from lamppost.cli.summary import print_summary
from lamppost.cli.user import sign_in_word
from lamppost.model.layout import DataFolder
from lamppost.pipeline.configuration import check_cameras, load_settings, load_whole, named_files
from lamppost.pipeline.metrics import MetricsServer
from lamppost.pipeline.reloading import ConfigWatch
from lamppost.pipeline.supervisor import Supervisor
from lamppost.pipeline.upgrading import upgrade
from lamppost.seal.notes import NoteSigner

CAMERA_VARIABLE = "LAMPPOST_CAMERA"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)?")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@one_line_errors
def serve(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = DEFAULT_CONFIG,
    for_: Annotated[str | None, typer.Option("--for", help="End after so long: 30s, 10m, 2h. Otherwise run on.")] = None,
    camera: Annotated[
        str | None,
        typer.Option("--camera", envvar=CAMERA_VARIABLE, help="Record this URL, as camera 'demo', instead of the configured cameras."),
    ] = None,
    sign_in: Annotated[
        str | None, typer.Option("--sign-in", help="Print a link that signs in this user once; made as an administrator and operator.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Record, seal and mask the configured cameras until told to stop.

    Originals are sealed as they arrive; masked segments appear in the data
    folder and play in any player. Ctrl-C or SIGTERM ends it within 5 seconds.
    """
    raise_descriptor_limit()
    os.environ.pop(CAMERA_VARIABLE, None)  # it may hold a password: no child's environment does
    settings = one_camera(load_settings(config), camera) if camera else load_whole(config)
    if not settings.camera and not settings.server.listen:
        raise ConfigError(f"{config} names no camera", remedy="add one with `lamppost camera add`")
    if camera:
        check_cameras(settings)
    for_s = _seconds(for_) if for_ is not None else None
    folder = DataFolder(settings.data)
    if not (folder.keys / "recorder.key").is_file():
        raise ConfigError(f"{settings.data} is not a data folder", remedy="create one with `lamppost init`")
    signer = NoteSigner.load(folder.keys / "recorder.key")  # told here, once, and not by a recorder that dies again and again
    configure_logging(process="supervisor", level=settings.log.level, as_json=settings.log.as_json)
    stop = threading.Event()
    on_signals(stop.set, signal.SIGTERM, signal.SIGINT)
    clock = SystemClock()
    watch = None if camera else ConfigWatch(config, lambda: load_whole(config), clock, beside=lambda: named_files(config))
    signal.signal(signal.SIGHUP, lambda _number, _frame: watch.ask() if watch else None)
    upgrade(folder, config=config, actor="lamppost serve", clock=clock)
    word = sign_in_word(folder, sign_in, clock) if sign_in is not None else None
    started_us = clock.wall_us()
    supervisor = Supervisor(settings, sign=signer.sign, clock=clock, write_line=_write_line, config=None if camera else config)
    metrics = MetricsServer(supervisor)
    try:
        supervisor.start()
        console = Console(file=sys.stdout, highlight=False)
        greeting = Greeting(console, sign_in=word)
        with open_progress(console) as progress:

            def on_tick(node: Supervisor) -> None:
                metrics.use(node.settings.metrics.listen)
                progress.show(node)
                greeting.show(node.console)

            supervisor.watch(stop, for_s, on_tick, watch)
    finally:
        metrics.close()
        supervisor.stop()
    print_summary(supervisor.settings, supervisor.report(started_us), as_json=as_json)


def _write_line(line: str) -> None:
    sys.stderr.write(line)
    sys.stderr.flush()


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text.strip())
    if match is None or float(match[1]) <= 0:
        raise ConfigError(f"--for {text!r} is no length of time", remedy="write it as 30s, 10m or 2h")
    return float(match[1]) * _SECONDS[match[2] or "s"]
