"""The recorder process: a thread for each camera, no decoder, no index.

It owns its journal. Before it records it mends what an earlier life of it left
behind: a torn segment is cut after its last whole fragment, the time since is
declared a gap.
"""

from __future__ import annotations

import threading

from lamppost.base.logging import get_logger
from lamppost.model.books import GapOpened, Rendition
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.child import ChildContext, open_journal, run_child, tend
from lamppost.pipeline.epochs import EpochSupply
from lamppost.pipeline.feeds import FeedDesk
from lamppost.pipeline.recording import CameraRecording, RecordingTools
from lamppost.pipeline.recovering import recover
from lamppost.record.chain import load_chain
from lamppost.seal.notes import NoteSigner
from lamppost.store.vault import Vault

WRITER = "recorder"
JOIN_S = 1.2


def work(context: ChildContext, desk: FeedDesk) -> None:
    """Recover, record until told to stop, end every segment whole."""
    signer = NoteSigner.load(context.folder.keys / "recorder.key")
    with open_journal(context, WRITER) as journal:
        Vault(context.folder.vault).remove_stale()  # of a sealer that was killed; none of ours runs yet
        left_open = recover(context.folder, WRITER, journal, sign=signer.sign, clock=context.clock)
        tools = RecordingTools(context.folder, context.settings.recording, journal.append, signer.sign, context.clock, context.stop)
        recordings = [_build(camera, tools, context, left_open.get(camera.name)) for camera in context.settings.camera]
        for recording in recordings:
            desk.register(recording.camera.name, recording.feed.offer)
        threads = [_start(recording) for recording in recordings]

        def look() -> None:
            _start_the_dead(threads, recordings)
            _report(context, recordings)

        tend(context, journal, look)
        end_s = context.clock.monotonic_s() + JOIN_S
        for thread in threads:
            # One that is still connecting has no segment open, and its gap is written: leave it behind.
            thread.join(max(0.0, end_s - context.clock.monotonic_s()))
        _report(context, recordings)


def _build(camera: CameraSettings, tools: RecordingTools, context: ChildContext, left_open: GapOpened | None) -> CameraRecording:
    epochs = EpochSupply(camera.name, folder=context.folder, sealing=context.settings.sealing, journal=tools.journal, clock=context.clock)
    chain = load_chain(context.folder, camera.name, Rendition.SEALED)
    return CameraRecording(camera, tools, epochs=epochs, chain=chain, left_open=left_open)


def _start(recording: CameraRecording) -> threading.Thread:
    thread = threading.Thread(target=recording.run, name=f"record-{recording.camera.name}", daemon=True)
    thread.start()
    return thread


def _start_the_dead(threads: list[threading.Thread], recordings: list[CameraRecording]) -> None:
    """Start anew each thread that a bug has ended; its traceback is in the log already."""
    for number, recording in enumerate(recordings):
        # One that was told to stop has said so; the process ends at once.
        if not threads[number].is_alive() and recording.status.state != "stopped":
            get_logger("record").error("a camera's thread died of a bug and is started anew", camera=recording.camera.name)
            threads[number] = _start(recording)


def _report(context: ChildContext, recordings: list[CameraRecording]) -> None:
    context.channel.send({"cameras": {recording.camera.name: recording.status.to_json() for recording in recordings}})


if __name__ == "__main__":
    feed_desk = FeedDesk()
    run_child("recorder", lambda context: work(context, feed_desk), feed_desk.take_message)
