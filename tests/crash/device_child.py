"""The process that `test_device_book_kill.py` kills: `device_child.py FOLDER ACKNOWLEDGED SEED` writes to the device book without end."""

from __future__ import annotations

import json
import os
import random
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from lamppost.base.clock import SystemClock
from lamppost.base.ids import timed_id
from lamppost.model.devices import Ability, Armament, Audit, DeviceIdentity, Evidence, Finding, Level, Outcome
from lamppost.model.disarming import Disarm, DisarmState, DisarmStep
from lamppost.model.layout import DataFolder
from lamppost.model.origin import Origin
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.store.device_book import DeviceBook

ANSWERS = 6


def audit_of(number: int, clock: SystemClock) -> Audit:
    reply = Evidence("GET /x", number, Outcome.ANSWERED, 200, "ab", 9000, b"x" * 9000, "text/plain")
    finding = Finding(Ability.RECOGNISE, Level.YES if number % 2 else Level.NO, "it says so", 0)
    return Audit(
        audit_id=timed_id(clock.wall_us()),
        camera="plaza",
        made_us=clock.wall_us(),
        # What no other process says: what tells no change goes after 60 more.
        identity=DeviceIdentity(firmware=f"{os.getpid()}-{number}"),
        detect=Level.NO,
        capture=Level.NO,
        recognise=Level.NO,
        armament=Armament(),
        findings=(finding,) * ANSWERS,
        evidence=(reply,) * ANSWERS,
        dialects=(),
    )


class Writer:
    """Each turn does one thing, and says so once it is safe."""

    def __init__(self, folder: DataFolder, acknowledged: Path, dice: random.Random) -> None:
        self._book, self._keeper, self._clock = DeviceBook(folder), CredentialKeeper(folder), SystemClock()
        self._file = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._dice = dice
        self._number = 0

    def say(self, **what: Any) -> None:
        os.write(self._file, json.dumps(what).encode() + b"\n")

    def turn(self) -> None:
        self._number += 1
        turn = self._dice.choice((self.audit, self.password, self.password, self.key, self.disarm, self.origin))
        turn()

    def audit(self) -> None:
        audit = audit_of(self._number, self._clock)
        self._book.add_audit(audit)
        self.say(audit=audit.audit_id)

    def password(self) -> None:
        word = f"secret {self._dice.random()}"
        self.say(credential=self._keeper.keep("plaza", word), password=word)

    def key(self) -> None:
        self.say(key=self._keeper.change_key())

    def disarm(self) -> None:
        steps = (DisarmStep("face", "on", ""),)
        disarm = Disarm(timed_id(self._clock.wall_us()), "plaza", 1, "anna", "Decision 7", "", DisarmState.FAILED, steps)
        self._book.add_disarm(disarm)
        self.say(disarm=disarm.disarm_id, state="failed")
        self._book.update_disarm(replace(disarm, state=DisarmState.DONE))
        self.say(disarm=disarm.disarm_id, state="done")

    def origin(self) -> None:
        word = f"{self._number}"
        self.say(revision=self._book.set_origin("plaza", Origin(vendor=word, note=word)), vendor=word)


if __name__ == "__main__":
    root, file, seed = sys.argv[1:]
    writer = Writer(DataFolder(Path(root)), Path(file), random.Random(seed))
    os.write(1, b"ready\n")
    while True:
        writer.turn()
        # SQLite is not fair: who never pauses lets no other process in.
        SystemClock().wait(threading.Event(), 0.004)
