"""Where things lie in a data folder; the one place that knows these names.

```
DATA/
  index/index.db                    the index, written by the bookkeeper alone
  journal/WRITER/N-UTC-xxxx.jsonl   what each process did, before the index knows
  sealed/CAMERA/YYYY-MM-DD/ID.tar   sealed originals, with ID.record beside each
  masked/CAMERA/YYYY-MM-DD/ID.mp4   masked video, plays in any player
  snapshots/CAMERA/YYYY-MM-DD/ID.jpg  a masked picture of an event
  vault/CAMERA/EPOCH/share-N.age    epoch shares, one per custodian, and seal.note
  keys/recorder.key, recorder.pub   signs segment records and shares; opens nothing
  access/access.db                  who may sign in; written by the server and by `lamppost user`
  keys/access.key                   reads the secrets of one-time codes in access.db
  devices/devices.db                what is known of the devices behind cameras, and their passwords, encrypted
  devices/pending/CAMERA            which passwords its device may have taken already, while one is being changed
  devices/locks/CAMERA              locked while somebody audits or changes its device; says who
  keys/cameras.key                  reads those passwords
  keys/cameras/CAMERA.xxxx.password  a password that an older version kept; named by the configuration
  models/                           model files that were pulled, and entries that were added
  run/                              locks and state of the running processes
  run/turns.json                    until when cameras that are being turned stay covered, whoever dies meanwhile
  run/live/CAMERA.sock              masked video as it is made, for who connects; there while it is masked
```
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lamppost.model.books import Rendition


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Names inside one data folder."""

    root: Path

    @property
    def index(self) -> Path:
        return self.root / "index" / "index.db"

    @property
    def access(self) -> Path:
        return self.root / "access" / "access.db"

    @property
    def devices(self) -> Path:
        return self.root / "devices" / "devices.db"

    def device_lock(self, camera: str) -> Path:
        """Who works on a camera's device holds this file."""
        return self.devices.parent / "locks" / camera

    @property
    def journal(self) -> Path:
        return self.root / "journal"

    @property
    def vault(self) -> Path:
        return self.root / "vault"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def camera_key(self) -> Path:
        return self.keys / "cameras.key"

    @property
    def camera_passwords(self) -> Path:
        return self.keys / "cameras"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def turns(self) -> Path:
        """Until when cameras that are being turned stay covered."""
        return self.run / "turns.json"

    def live_socket(self, camera: str) -> Path:
        """Where a camera's masked pictures are published."""
        return self.run / "live" / f"{camera}.sock"

    def segment(self, camera: str, rendition: Rendition, segment_id: str, wall_us: int) -> Path:
        """The absolute path of a new segment's file."""
        day = f"{datetime.fromtimestamp(wall_us // 1_000_000, UTC):%Y-%m-%d}"
        suffix = "tar" if rendition is Rendition.SEALED else "mp4"
        return self.root / rendition.value / camera / day / f"{segment_id}.{suffix}"

    def snapshot(self, camera: str, event_id: str, wall_us: int) -> Path:
        """The absolute path of the masked picture of an event."""
        day = f"{datetime.fromtimestamp(wall_us // 1_000_000, UTC):%Y-%m-%d}"
        return self.root / "snapshots" / camera / day / f"{event_id}.jpg"

    def last_record(self, camera: str, rendition: Rendition) -> Path:
        """A copy of a camera's newest segment record, from when its segment was deleted: the chain goes on from it."""
        return self.root / rendition.value / camera / "last.record"

    def epoch(self, camera: str, epoch_id: str) -> Path:
        """The vault's folder of one epoch."""
        return self.vault / camera / epoch_id

    def relative(self, path: Path) -> str:
        """`path` as it is written in journals and the index."""
        return path.relative_to(self.root).as_posix()
