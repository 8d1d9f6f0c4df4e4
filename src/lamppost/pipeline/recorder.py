"""The recorder process: a thread for each camera, no decoder, no index.

It owns its journal. Before it records it mends what an earlier life of it left
behind: a torn segment is cut after its last whole fragment, the time since is
declared a gap.
"""

from __future__ import annotations

import threading

from lamppost.model.books import GapOpened, Rendition
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.child import STATUS_INTERVAL_S, ChildContext, open_journal, run_child
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
        threads: list[threading.Thread] = []
        for recording in recordings:
            desk.register(recording.camera.name, recording.feed.offer)
            threads.append(threading.Thread(target=recording.run, name=f"record-{recording.camera.name}", daemon=True))
            threads[-1].start()
        while not context.clock.wait(context.stop, STATUS_INTERVAL_S):
            journal.sync_if_due()
            _report(context, recordings)
        end_s = context.clock.monotonic_s() + JOIN_S
        for thread in threads:
            # One that is still connecting has no segment open, and its gap is written: leave it behind.
            thread.join(max(0.0, end_s - context.clock.monotonic_s()))
        _report(context, recordings)


def _build(camera: CameraSettings, tools: RecordingTools, context: ChildContext, left_open: GapOpened | None) -> CameraRecording:
    epochs = EpochSupply(camera.name, folder=context.folder, sealing=context.settings.sealing, journal=tools.journal, clock=context.clock)
    chain = load_chain(context.folder, camera.name, Rendition.SEALED)
    return CameraRecording(camera, tools, epochs=epochs, chain=chain, left_open=left_open)


def _report(context: ChildContext, recordings: list[CameraRecording]) -> None:
    context.channel.send({"cameras": {recording.camera.name: recording.status.to_json() for recording in recordings}})


if __name__ == "__main__":
    feed_desk = FeedDesk()
    run_child("recorder", lambda context: work(context, feed_desk), feed_desk.take_message)
