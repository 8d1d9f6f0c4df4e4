"""The analyst process: decodes, detects, masks, encodes; a thread for each camera.

It may die at any moment: the recorder goes on, the supervisor starts it anew,
and the masked video starts again, covered.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
from pydantic import ValidationError

from lamppost.base.clock import SystemClock
from lamppost.base.logging import get_logger
from lamppost.detect.entry import ModelEntry
from lamppost.detect.motion import MotionDetector
from lamppost.detect.shared import SharedDetector
from lamppost.model.books import Rendition
from lamppost.model.rules import RuleBook
from lamppost.model.settings import CameraSettings, Settings
from lamppost.model.vision import Preset
from lamppost.pipeline.analysing import CameraAnalysis, MaskingPlan
from lamppost.pipeline.child import ChildContext, open_journal, run_child, tend
from lamppost.pipeline.control import Message
from lamppost.pipeline.counting import CountingPlan
from lamppost.pipeline.equipment import WEAK_SCORE, counting_entry, equip
from lamppost.pipeline.feed_reader import FeedReader
from lamppost.pipeline.feeds import FeedDesk
from lamppost.pipeline.live import LivePublisher
from lamppost.pipeline.load import LoadControl
from lamppost.pipeline.masked_run import MaskedTools
from lamppost.pipeline.masking import MaskingPipeline, Motion
from lamppost.pipeline.recovering import recover
from lamppost.pipeline.sight import Detector
from lamppost.pipeline.spectator import Spectator
from lamppost.pipeline.turning import TurnCovers
from lamppost.pipeline.turns import Turns
from lamppost.record.chain import load_chain
from lamppost.seal.notes import NoteSigner
from lamppost.store.journal import JournalWriter

NICENESS = 10


@dataclass(frozen=True, slots=True)
class _Masked:
    """A camera that is masked, and the thread that does it."""

    analysis: CameraAnalysis
    thread: threading.Thread
    stop: threading.Event
    live: LivePublisher


class CameraFleet:
    """The cameras of one analyst, as the settings have them now.

    `adopt` may change them while they run: who is unchanged goes on untouched, a
    camera whose preset changed ends its run and starts anew at a keyframe, and
    other settings of masking count from the next run on. All from one thread.
    """

    def __init__(
        self, context: ChildContext, desk: FeedDesk, journal: JournalWriter, sign: Callable[[bytes], bytes], turning: TurnCovers
    ) -> None:
        self._context = context
        self._turning = turning
        self._desk = desk
        self._journal = journal
        self._sign = sign
        self._settings = context.settings
        self._detectors: dict[str, SharedDetector] = {}
        self._reader = FeedReader(context.clock)
        self._turns = Turns(len(os.sched_getaffinity(0)))
        self._load = LoadControl()
        self._masked: dict[str, _Masked] = {}
        self._leaving: dict[str, _Masked] = {}

    def adopt(self, settings: Settings) -> None:
        """Mask the cameras of `settings`, in that way; those that are gone end in good order, in their own time."""
        self._settings = settings
        wanted = {camera.name: camera for camera in settings.camera}
        for name in self._masked.keys() - wanted.keys():
            leaving = self._leaving[name] = self._masked.pop(name)
            self._desk.withdraw(name)
            leaving.stop.set()
            leaving.live.close()
        for name, masked in self._masked.items():
            masked.analysis.plan = self._plan(wanted[name])
        self._start_missing()

    def look(self) -> None:
        """Twice a second: settle who comes and goes, share out what the machine can mask, tell the supervisor."""
        _die_with([self._reader.thread, *(masked.thread for masked in self._masked.values())], self._context.stop)
        self._leaving = {name: masked for name, masked in self._leaving.items() if masked.thread.is_alive()}
        self._start_missing()
        for masked in self._masked.values():
            masked.live.open()
        analyses = [masked.analysis for masked in self._masked.values()]
        steps = self._load.decide(self._context.clock.monotonic_s(), {analysis.camera: analysis.load() for analysis in analyses})
        for analysis in analyses:
            analysis.wanted_step = steps[analysis.camera]
            analysis.measure()
        self.report()

    def report(self) -> None:
        """Send the status of every camera to the supervisor."""
        cameras = {name: masked.analysis.status.to_json() for name, masked in self._masked.items()}
        self._context.channel.send({"cameras": cameras})

    def close(self) -> None:
        """End every segment whole."""
        everyone = [*self._masked.values(), *self._leaving.values()]
        for masked in everyone:
            masked.stop.set()
        for masked in everyone:
            masked.thread.join()
            masked.live.close()
        self._reader.close()
        self.report()

    def _start_missing(self) -> None:
        for camera in self._settings.camera:
            # One who comes back waits for the thread that still ends the last segment: both would go on with one chain.
            if camera.name not in self._masked and camera.name not in self._leaving:
                self._masked[camera.name] = self._start(camera)

    def _start(self, camera: CameraSettings) -> _Masked:
        stop = threading.Event()
        chain = load_chain(self._context.folder, camera.name, Rendition.MASKED)
        live = LivePublisher(camera.name, self._context.folder, self._reader.loop, self._context.clock)
        live.open()
        analysis = CameraAnalysis(
            camera.name, self._plan(camera), chain=chain, stop=stop, reader=self._reader, turns=self._turns, live=live
        )
        # A daemon: one that goes on must not keep a process alive whose work has failed.
        thread = threading.Thread(target=analysis.run, name=f"mask-{camera.name}", daemon=True)
        thread.start()
        self._desk.register(camera.name, analysis.offer)
        return _Masked(analysis, thread, stop, live)

    def _plan(self, camera: CameraSettings) -> MaskingPlan:
        settings, clock = self._settings, self._context.clock
        masking, preset = settings.masking, camera.preset or settings.masking.preset
        turned = self._turning.of(camera.name)

        def make(motion: Motion | None, spectator: Spectator) -> MaskingPipeline:
            # Looked up for each run: a model that went away ends the run with a line that says so, and no frame is shown.
            equipment = equip(preset, settings.models.folder or self._context.folder.models, masking.face_model)
            return MaskingPipeline(
                preset=preset,
                faces=self._shared(equipment.faces, equipment.models) if equipment.faces else None,
                things=[self._shared(entry, equipment.models) for entry in equipment.things],
                targets=equipment.targets,
                motion=(motion or MotionDetector()) if preset is Preset.MOTION else None,
                look_back_s=masking.look_back_s,
                detect_interval_s=masking.detect_interval_s,
                refresh_s=masking.refresh_s,
                clock=clock,
                spectator=spectator,
                is_turned=turned.covers,
            )

        tools = MaskedTools(self._context.folder, settings.recording, self._journal.append, self._sign, clock, masking.threads)
        model = settings.analysis.model if camera.counting_model is None else camera.counting_model
        counting = CountingPlan(camera.rules or RuleBook(), model, settings.analysis.interval_s)
        return MaskingPlan(preset, tools, make, counting, lambda: self._counting_detector(model))

    def _counting_detector(self, model: str) -> Detector | None:
        """The one detector `model` for all cameras, None for motion; raises `ConfigError` when it is not here."""
        models = self._settings.models.folder or self._context.folder.models
        entry = counting_entry(model, models)
        return self._shared(entry, models) if entry is not None else None

    def _shared(self, entry: ModelEntry, models: Path | None) -> SharedDetector:
        """The one detector of a model for all cameras; from the thread of any of them."""
        made = SharedDetector(
            entry,
            models=models,
            threads=self._settings.masking.threads,
            weak_score=WEAK_SCORE,
            providers=self._settings.models.wanted_providers,
        )
        return self._detectors.setdefault(entry.name, made)


def _die_with(threads: list[threading.Thread], stop: threading.Event) -> None:
    """End the process when a bug has ended one of `threads`: only a new process is given new feeds."""
    dead = [thread.name for thread in threads if not thread.is_alive()]
    if dead and not stop.is_set():
        raise RuntimeError(f"died of a bug: {', '.join(dead)}")


class OrderDesk:
    """Takes the supervisor's orders on the control thread: feeds and covers at once, settings when the main thread asks."""

    def __init__(self, feeds: FeedDesk, turning: TurnCovers) -> None:
        self._feeds = feeds
        self.turning = turning
        self._settings: deque[object] = deque(maxlen=1)  # the newest alone counts

    def take_message(self, message: Message) -> None:
        """`{"order": "settings", "settings": {...}}`, that a camera is turned, or a feed."""
        if message.body.get("order") == "turned":
            self.turning.take_order(message.body)
            return
        if message.body.get("order") == "settings":
            self._settings.append(message.body.get("settings"))
        self._feeds.take_message(message)

    def newest_settings(self) -> Settings | None:
        """Those that came since the last call; None when none did, or none that can be read."""
        try:
            return Settings.model_validate(self._settings.pop())
        except IndexError:
            return None
        except ValidationError as error:
            get_logger("analyst").error("settings that cannot be used are left aside", problem=f"{error.error_count()} mistakes")
            return None


def work(context: ChildContext, desk: FeedDesk, orders: OrderDesk) -> None:
    """Recover, mask until told to stop, end every segment whole."""
    signer = NoteSigner.load(context.folder.keys / "recorder.key")
    with open_journal(context, context.name) as journal:
        recover(context.folder, context.name, journal, sign=signer.sign, clock=context.clock)
        fleet = CameraFleet(context, desk, journal, signer.sign, orders.turning)
        orders.turning.answer_with(context.channel.send)
        fleet.adopt(context.settings)

        def look() -> None:
            settings = orders.newest_settings()
            if settings is not None:
                fleet.adopt(settings)
            fleet.look()

        tend(context, journal, look)
        fleet.close()


if __name__ == "__main__":
    # Before any thread: each takes its niceness from the one that starts it. Where the machine is short of
    # time, recording must have it first: what is not masked now can be opened later, what is not recorded is lost.
    os.nice(NICENESS)
    cv2.setNumThreads(1)  # a camera has a thread of its own; a hundred pools of OpenCV would only get in each other's way
    feed_desk = FeedDesk()
    order_desk = OrderDesk(feed_desk, TurnCovers(SystemClock()))
    run_child(lambda context: work(context, feed_desk, order_desk), order_desk.take_message)
