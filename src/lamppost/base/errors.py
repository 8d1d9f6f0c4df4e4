"""Every error that Lamppost raises on purpose, in one tree.

```
LamppostError                 one line for a person: what is wrong, where, what to do
├── ConfigError               settings or arguments are wrong; nothing was touched
│   └── ConfigChanged         somebody else has changed the file meanwhile
├── CameraError               concerns one camera; that camera is retried, others go on
│   ├── CameraUnreachable     no route, refused, timed out, gone silent
│   ├── CameraRefused         wrong user or password, or not allowed
│   ├── DeviceBusy            somebody else works on the device just now; nothing was asked
│   ├── UnsupportedStream     a codec, protocol or format that we do not read
│   ├── UnreadableReply       a device answers a question with what we cannot read, or with too much
│   ├── StreamEnded           the peer or the file ended in good order
│   └── TimestampError        time stands still or runs backwards beyond repair
├── MediaError                a file given to `lamppost mask` cannot be read or written
├── ModelError                a model file is missing, altered or refused
├── SealError                 sealing or opening failed
│   ├── KeyFileError          a key file is not what it should be
│   ├── NotEnoughShares       fewer than k shares could be opened
│   └── ShareMismatch         a share, record or fragment is not what was signed
├── NotifyError               a message to others did not arrive
│   ├── CarrierDown           nobody takes it now; it is offered again later
│   └── NoticeRefused         this one is never taken; it becomes a dead letter
└── StoreError                disk, journal, index or vault; raises an alarm
    ├── JournalDamaged        a journal is broken elsewhere than at its torn tail
    └── DataFolderBusy        another process holds the data folder
```

A camera error retries one camera; a store error raises an alarm; anything else
is a bug and is logged with its traceback.
"""

from __future__ import annotations


class LamppostError(Exception):
    """A failure that is told to a person in one line.

    `problem` says what is wrong and where; `remedy` says what to do about it.
    Neither may hold a password: pass URLs through `redact` first.
    """

    exit_code = 1

    def __init__(self, problem: str, *, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem} — {self.remedy}" if self.remedy else self.problem


class ConfigError(LamppostError):
    """Settings or arguments are wrong; nothing was touched."""

    exit_code = 2


class ConfigChanged(ConfigError):
    """Somebody else has changed the configuration since it was read; nothing of theirs was lost."""


class CameraError(LamppostError):
    """Concerns one camera, which is retried; others go on."""


class CameraUnreachable(CameraError):
    """No route, refused, timed out or gone silent."""


class CameraRefused(CameraError):
    """Wrong user or password, or not allowed."""


class DeviceBusy(CameraError):
    """Somebody else audits, disarms or changes the device just now; it was asked nothing, and nothing follows about it."""


class UnsupportedStream(CameraError):
    """A codec, protocol or format that Lamppost does not read."""


class UnreadableReply(CameraError):
    """A device answers a question with what Lamppost cannot read, or with too much of it."""


class StreamEnded(CameraError):
    """The peer or the file ended in good order."""


class TimestampError(CameraError):
    """Time stands still or runs backwards beyond repair."""


class MediaError(LamppostError):
    """A file given to be masked cannot be read or written."""


class ModelError(LamppostError):
    """A model file is missing, altered or refused."""


class SealError(LamppostError):
    """Sealing or opening failed."""


class KeyFileError(SealError):
    """A key file is not what it should be."""


class NotEnoughShares(SealError):
    """Fewer than k shares could be opened with the keys given."""


class ShareMismatch(SealError):
    """A share, a record or a fragment is not what was signed."""


class NotifyError(LamppostError):
    """A message to others did not arrive; neither text may hold an address's path, a user's password or a key."""


class CarrierDown(NotifyError):
    """Nobody takes the message now; it is offered again, not before `retry_after_s` where the other side said so.

    `is_about_all` is false where the trouble may be with this one message: others are then offered meanwhile.
    """

    def __init__(self, problem: str, *, remedy: str = "", retry_after_s: float = 0.0, is_about_all: bool = True) -> None:
        super().__init__(problem, remedy=remedy)
        self.retry_after_s = retry_after_s
        self.is_about_all = is_about_all


class NoticeRefused(NotifyError):
    """The message is never taken; it becomes a dead letter."""


class StoreError(LamppostError):
    """Disk, journal, index or vault failed; raises an alarm."""


class JournalDamaged(StoreError):
    """A journal is broken elsewhere than at its torn tail."""


class DataFolderBusy(StoreError):
    """Another process holds the data folder."""
