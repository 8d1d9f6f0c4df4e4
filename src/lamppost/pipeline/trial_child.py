"""A process of its own for trying rules: what it takes away from masking and recording is what they leave.

An order comes as one JSON object on standard input; progress and what came of it go out, a line each.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import threading
from pathlib import Path
from typing import Any, Final, TextIO

from lamppost.base.clock import SystemClock
from lamppost.base.errors import LamppostError
from lamppost.base.logging import redact
from lamppost.model.rules import RuleBook
from lamppost.pipeline.rule_trial import RuleTrial, TrialOrder, TrialSegment, trial_to_json

NICE: Final = 10


def order_to_json(order: TrialOrder) -> str:
    """What `order_from_json` makes an order of."""
    segments = [[str(segment.path), segment.start_us] for segment in order.segments]
    rest = {name: getattr(order, name) for name in ("from_us", "to_us", "reads_masks", "interval_s", "patience_s")}
    return json.dumps({"book": order.book.model_dump(mode="json"), "segments": segments} | rest)


def order_from_json(text: str) -> TrialOrder:
    """The order that `text` is."""
    fields: dict[str, Any] = json.loads(text)
    book = RuleBook.model_validate(fields.pop("book"))
    segments = tuple(TrialSegment(Path(path), start_us) for path, start_us in fields.pop("segments"))
    return TrialOrder(book, segments, **fields)


def serve(orders: TextIO, answers: TextIO) -> None:
    """Try the one order that comes, and answer."""

    def answer(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    order = order_from_json(orders.readline())
    try:
        found = RuleTrial(order, SystemClock(), threading.Event()).run(lambda progress: answer({"progress": progress}))
    except LamppostError as error:
        answer({"problem": redact(str(error))})
        return
    answer({"result": trial_to_json(order.book, found, order.from_us)})


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold pictures
    os.nice(NICE)
    with contextlib.suppress(BrokenPipeError):  # nobody wants to know any more
        serve(sys.stdin, sys.stdout)
