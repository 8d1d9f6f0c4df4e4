"""The analyst process: decodes, detects, masks, encodes; a thread for each camera.

It may die at any moment: the recorder goes on, the supervisor starts it anew,
and the masked video starts again, covered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from lamppost.detect.faces import FaceDetector
from lamppost.detect.motion import MotionDetector
from lamppost.model.books import Rendition
from lamppost.model.vision import Preset
from lamppost.pipeline.analysing import CameraAnalysis
from lamppost.pipeline.child import ChildContext, open_journal, run_child, tend
from lamppost.pipeline.feeds import FeedDesk
from lamppost.pipeline.masked_run import MaskedTools
from lamppost.pipeline.masking import MaskingPipeline
from lamppost.pipeline.recovering import recover
from lamppost.record.chain import load_chain
from lamppost.seal.notes import NoteSigner


def work(context: ChildContext, desk: FeedDesk) -> None:
    """Recover, mask until told to stop, end every segment whole."""
    settings = context.settings
    signer = NoteSigner.load(context.folder.keys / "recorder.key")
    faces = FaceDetector(threads=settings.masking.threads)
    with open_journal(context, context.name) as journal:
        recover(context.folder, context.name, journal, sign=signer.sign, clock=context.clock)
        tools = MaskedTools(context.folder, settings.recording, journal.append, signer.sign, context.clock, settings.masking.threads)
        analyses: list[CameraAnalysis] = []
        threads: list[threading.Thread] = []
        for camera in settings.camera:
            analysis = CameraAnalysis(
                camera.name,
                tools,
                make_masking=_masking_maker(context, camera.preset or settings.masking.preset, faces),
                chain=load_chain(context.folder, camera.name, Rendition.MASKED),
                stop=context.stop,
            )
            analyses.append(analysis)
            desk.register(camera.name, analysis.offer)
            # A daemon: one that goes on must not keep a process alive whose work has failed.
            threads.append(threading.Thread(target=analysis.run, name=f"mask-{camera.name}", daemon=True))
            threads[-1].start()

        def look() -> None:
            _report(context, analyses)
            _die_with(threads, context.stop)

        tend(context, journal, look)
        for thread in threads:
            thread.join()
        _report(context, analyses)


def _die_with(threads: list[threading.Thread], stop: threading.Event) -> None:
    """End the process when a bug has ended one of `threads`: only a new process is given new feeds."""
    dead = [thread.name for thread in threads if not thread.is_alive()]
    if dead and not stop.is_set():
        raise RuntimeError(f"died of a bug: {', '.join(dead)}")


def _masking_maker(context: ChildContext, preset: Preset, faces: FaceDetector) -> Callable[[], MaskingPipeline]:
    masking = context.settings.masking

    def make() -> MaskingPipeline:
        return MaskingPipeline(
            preset=preset,
            faces=faces if preset is not Preset.ALL else None,
            motion=MotionDetector() if preset is Preset.MOTION else None,
            look_back_s=masking.look_back_s,
            detect_interval_s=masking.detect_interval_s,
            clock=context.clock,
        )

    return make


def _report(context: ChildContext, analyses: list[CameraAnalysis]) -> None:
    context.channel.send({"cameras": {analysis.camera: analysis.status.to_json() for analysis in analyses}})


if __name__ == "__main__":
    feed_desk = FeedDesk()
    run_child(lambda context: work(context, feed_desk), feed_desk.take_message)
