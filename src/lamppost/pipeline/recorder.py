"""A recorder process: one loop for many cameras, few threads for the disk, no decoder, no index.

It owns its journal. Before it records it mends what an earlier life of it left
behind: a torn segment is cut after its last whole fragment, the time since is
declared a gap.
"""

from __future__ import annotations

import gc
import sys
from typing import Final

from lamppost.base.digest import InTheClear
from lamppost.base.errors import StoreError
from lamppost.base.logging import get_logger
from lamppost.base.loop import Loop
from lamppost.ingest.opening_streams import open_stream
from lamppost.ingest.stream import Stream, StreamSink
from lamppost.model.books import GapOpened, Rendition
from lamppost.model.media import GapCause
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.child import STATUS_INTERVAL_S, ChildContext, OrderBox, open_journal, parse_settings, run_child
from lamppost.pipeline.control import Message
from lamppost.pipeline.epochs import EpochSupply
from lamppost.pipeline.feeds import FeedDesk
from lamppost.pipeline.lines import Work, WorkLine, WorkThreads
from lamppost.pipeline.reception import CameraReception, ReceptionTools
from lamppost.pipeline.recording import CameraRecording, RecordingTools
from lamppost.pipeline.recovering import recover
from lamppost.record.chain import load_chain
from lamppost.seal.epochs import SealingDesk
from lamppost.seal.notes import NoteSigner
from lamppost.store.journal import JournalWriter

STOP_PATIENCE_S: Final = 1.8
GC_THRESHOLDS: Final = (50_000, 20, 100)


class Recorder:
    """The cameras of one recorder process; called in the loop's thread, but for `take_message`."""

    def __init__(self, context: ChildContext, journal: JournalWriter, left_open: dict[str, GapOpened], signer: NoteSigner) -> None:
        self._context = context
        self._journal = journal
        self._left_open = left_open
        self._settings = context.settings
        self._loop = Loop(context.clock)
        self._threads = WorkThreads()
        self._journal_line = self._threads.line(self._on_journal_bug)
        self._desk = SealingDesk(context.clock)
        self._tools = RecordingTools(context.folder, journal.append, signer.sign, context.clock)
        self._reception_tools = ReceptionTools(self._loop, context.clock, self._threads, self._open_stream)
        # A recording outlives its camera's reception: one that comes back goes on with its account.
        self._recordings: dict[str, tuple[CameraRecording, WorkLine]] = {}
        self._receptions: dict[str, CameraReception] = {}
        self._clear: dict[str, InTheClear] = {}
        self._feeds = FeedDesk()
        self._is_held = False
        self._told = ""

    def take_message(self, message: Message) -> None:
        """From the control thread: an order of the supervisor."""
        self._loop.post(lambda: self._take_order(message))

    def run(self) -> None:
        """Record until told to stop; every segment is ended whole, as far as the disk allows in time."""
        for camera in self._settings.camera:
            self._add(camera)
        self._look()
        self._loop.run(self._context.stop)
        for reception in self._receptions.values():
            reception.stop(GapCause.STOPPED)
        if not self._threads.drain(STOP_PATIENCE_S):
            get_logger("record").warning("the disk is too slow to end every segment in time; the next start ends them")
        self._report()
        self._threads.close()
        self._loop.close()

    def _take_order(self, message: Message) -> None:
        order = message.body.get("order")
        if order == "feed":
            self._feeds.take_message(message)
        elif order == "settings":
            self._apply(parse_settings(message.body["settings"]))
        elif order == "hold":
            self._hold(is_held=bool(message.body["is_held"]))

    def _apply(self, settings: Settings) -> None:
        """Bring the cameras to what `settings` say; those that are received as before are not touched."""
        before, self._settings = self._settings, settings
        old = {camera.name: camera for camera in before.camera}
        new = {camera.name: camera for camera in settings.camera}
        is_all_new = (before.recording, before.timezone) != (settings.recording, settings.timezone)
        for recording, line in self._recordings.values():
            line.put(_configuring(recording, settings))
        for name, camera in old.items():
            if name not in new:
                self._remove(name, GapCause.REMOVED)
            elif is_all_new or not new[name].is_received_as(camera):
                self._remove(name, GapCause.STARTING)
        if before.devices.networks != settings.devices.networks:
            for reception in self._receptions.values():
                reception.judge_again(settings.devices.camera_networks)
        for name, camera in new.items():
            if name not in self._receptions:
                self._add(camera)

    def _add(self, camera: CameraSettings) -> None:
        recording, line = self._recording_of(camera.name)
        settings = self._settings
        reception = CameraReception(
            camera,
            self._reception_tools,
            recording,
            line,
            timezone=settings.timezone,
            reconnect_cap_s=settings.recording.reconnect_cap_s,
        )
        line.on_bug = reception.on_line_bug
        self._clear[camera.name] = InTheClear(camera.allow_basic)
        self._receptions[camera.name] = reception
        self._feeds.register(camera.name, reception.feed.offer)
        reception.start()
        if self._is_held:
            reception.pause(GapCause.HELD)

    def _recording_of(self, camera: str) -> tuple[CameraRecording, WorkLine]:
        known = self._recordings.get(camera)
        if known is not None:
            return known
        context, settings = self._context, self._settings
        epochs = EpochSupply(
            camera, folder=context.folder, sealing=settings.sealing, desk=self._desk, journal=self._tools.journal, clock=context.clock
        )
        recording = CameraRecording(
            camera,
            self._tools,
            settings.recording,
            epochs=epochs,
            chain=load_chain(context.folder, camera, Rendition.SEALED),
            left_open=self._left_open.pop(camera, None),
        )
        self._recordings[camera] = recording, self._threads.line(self._on_journal_bug)
        return self._recordings[camera]

    def _remove(self, camera: str, cause: GapCause) -> None:
        self._feeds.withdraw(camera)
        self._receptions.pop(camera).stop(cause)
        del self._clear[camera]

    def _hold(self, *, is_held: bool) -> None:
        """Stop recording, or go on: everything on the disk is held, and nothing may be deleted."""
        self._is_held = is_held
        for reception in self._receptions.values():
            if is_held:
                reception.pause(GapCause.HELD)
            else:
                reception.resume()

    def _open_stream(self, camera: CameraSettings, url: str, loop: Loop, sink: StreamSink) -> Stream:
        return open_stream(
            url,
            loop=loop,
            clock=self._context.clock,
            sink=sink,
            stop=self._context.stop,
            networks=self._settings.devices.camera_networks,
            username=camera.username,
            password=camera.resolved_password(),
            timeout_s=self._settings.recording.timeout_s,
            transport=camera.transport,
            certificate_sha256=camera.certificate_sha256,
            clear=self._clear[camera.name],
        )

    def _look(self) -> None:
        self._loop.call_later(STATUS_INTERVAL_S, self._look)
        for reception in self._receptions.values():
            reception.look()
        if not self._journal_line.waiting_bytes:
            self._journal_line.put(self._sync_journal, cost_bytes=1)
        self._report()

    def _sync_journal(self) -> None:
        """A disk that fails is told once: those who write declare what is lost, and try again."""
        try:
            self._journal.sync_if_due()
        except StoreError as error:
            if str(error) != self._told:
                get_logger("store").error("the journal cannot be synced", problem=str(error))
            self._told = str(error)
        else:
            self._told = ""

    def _report(self) -> None:
        cameras = {name: reception.status.to_json() for name, reception in self._receptions.items()}
        self._context.channel.send({"cameras": cameras, "journal_problem": self._told, "waiting_bytes": self._threads.waiting_bytes})

    def _on_journal_bug(self, error: BaseException) -> None:
        sys.excepthook(type(error), error, error.__traceback__)


def _configuring(recording: CameraRecording, settings: Settings) -> Work:
    return lambda: recording.configure(settings.recording, settings.sealing)


def work(context: ChildContext, orders: OrderBox) -> None:
    """Recover, record until told to stop, end every segment whole."""
    # What is made for each picture is freed by counting; looking for circles a hundred times a second finds none.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    signer = NoteSigner.load(context.folder.keys / "recorder.key")
    with open_journal(context, context.name) as journal:
        left_open = recover(context.folder, context.name, journal, sign=signer.sign, clock=context.clock)
        recorder = Recorder(context, journal, left_open, signer)
        orders.hand_to(recorder.take_message)
        recorder.run()


if __name__ == "__main__":
    order_box = OrderBox()
    run_child(lambda context: work(context, order_box), order_box.take)
