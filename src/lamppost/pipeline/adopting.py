"""Before a node's processes start: what earlier lives left behind is mended, and each account finds its process.

Which process has a camera may change between two lives of a node; the gap that
is open since the last one then moves to the new one's journal. Nothing else
runs meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.ids import timed_id
from lamppost.model.books import AccountMoved, GapClosed, GapOpened
from lamppost.model.layout import DataFolder
from lamppost.pipeline.fleet import Role
from lamppost.pipeline.recovering import Sign, recover
from lamppost.store.journal import JournalWriter, writers
from lamppost.store.vault import Vault

_RECORDERS: Final = Role.RECORDER.value
_ANALYSTS: Final = Role.ANALYST.value


def adopt(folder: DataFolder, homes: Mapping[str, str], recorders: Sequence[str], *, sign: Sign, clock: Clock) -> dict[str, str]:
    """Recover every recorder's and analyst's journal, and move open gaps to where `homes` has their cameras now.

    A camera without a home keeps its gap where it is, as long as that is one of
    `recorders`; should it come back, its home must be where its gap is, which is
    returned. Raises `StoreError`; doing it again goes on where it failed.
    """
    gaps_at: dict[str, str] = {}
    Vault(folder.vault).remove_stale()  # of a sealer that was killed; none runs now
    for writer in writers(folder.journal):
        role = writer.partition("-")[0]
        if role not in (_RECORDERS, _ANALYSTS):
            continue
        with JournalWriter(folder.journal / writer, clock=clock) as journal:
            left_open = recover(folder, writer, journal, sign=sign, clock=clock)
            if role == _RECORDERS:
                for camera, gap in left_open.items():
                    home = gaps_at[camera] = homes.get(camera) or (writer if writer in recorders else recorders[0])
                    if home != writer:
                        _move(folder, gap, journal, home, clock)
    return gaps_at


def _move(folder: DataFolder, gap: GapOpened, journal: JournalWriter, home: str, clock: Clock) -> None:
    """Open the gap anew in `home`'s journal, then end it where it began in its own: at no moment is there none."""
    with JournalWriter(folder.journal / home, clock=clock) as other:
        other.append(GapOpened(timed_id(clock.wall_us()), gap.camera, gap.cause, gap.start_us, gap.detail))
    journal.append(AccountMoved(camera=gap.camera, wall_us=clock.wall_us()))
    journal.append(GapClosed(gap_id=gap.gap_id, end_us=gap.start_us))
    journal.sync()
