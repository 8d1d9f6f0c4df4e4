"""Audits and disarms the devices behind configured cameras, and keeps what came of it in the device book."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError, CameraUnreachable, ConfigError
from lamppost.cameras.audit import audit_device, compare, last_known, onvif_of
from lamppost.cameras.dialects.dialect import Dialect, Plan
from lamppost.cameras.dialects.known import DIALECTS
from lamppost.cameras.disarm import Order, check_authorisation, check_rollback, disarm_device, plan_disarm, roll_back
from lamppost.cameras.web import DeviceWeb
from lamppost.model.books import EventClosed, EventOpened, Severity
from lamppost.model.devices import Audit, DeviceIdentity, Evidence, Outcome
from lamppost.model.disarming import Disarm
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.pipeline.device_access import DeviceExchanged, DeviceNotTold, device_password, device_user, device_web
from lamppost.pipeline.device_events import happening
from lamppost.store.device_book import DeviceBook
from lamppost.store.device_locks import PATIENCE_S, DeviceLocks, DeviceWork

_LOOK_BACK: Final = 20
First = Callable[[], object]


def nothing() -> None:
    """Puts nothing on the record."""


class Kept(Protocol):
    """An audit as it is kept, and what had come back since the one before; in lists without findings and evidence."""

    @property
    def audit(self) -> Audit: ...
    @property
    def drift(self) -> tuple[str, ...]: ...


class Known(Protocol):
    """What is known of the device behind a camera."""

    @property
    def identity(self) -> DeviceIdentity: ...


class AuditBook(Protocol):
    """What of the device book is needed here. `first` is called before a row is there, within its transaction."""

    def add_audit(self, audit: Audit, *, drift: Sequence[str] = (), first: First = nothing) -> None: ...
    def newest_audits(self) -> Sequence[Kept]: ...
    def audit(self, audit_id: str) -> Kept | None: ...
    def audits(self, camera: str, *, after: tuple[int, str] | None = None, limit: int) -> Sequence[Kept]: ...
    def evidence(self, audit_id: str, number: int) -> Evidence | None: ...
    def device(self, camera: str) -> Known | None: ...
    def add_disarm(self, disarm: Disarm, *, first: First = nothing) -> None: ...
    def update_disarm(self, disarm: Disarm) -> None: ...
    def disarm(self, disarm_id: str) -> Disarm | None: ...
    def disarms(self, camera: str) -> Sequence[Disarm]: ...


@dataclass(frozen=True, slots=True)
class Target:
    """The device of a camera: where it is, and how to sign in there."""

    camera: CameraSettings
    settings: Settings
    password: str | None

    @property
    def name(self) -> str:
        return self.camera.name


def _tell_nobody(audit: Audit, drift: Sequence[str]) -> None:
    """Whoever asked is told by what the audit returns."""


def drift_event(audit: Audit, drift: Sequence[str]) -> tuple[EventOpened, EventClosed]:
    """What the node is told where something has come back."""
    return happening("device_drifted", Severity.ALARM, audit.camera, audit.made_us, "; ".join(drift)[:400])


class AuditDesk:
    """Audits, disarms and rollbacks; of one camera one at a time, whoever else has its device in hand. From any thread.

    What is to be done is on the record before the device is asked: `first` writes it, and what it raises ends it there.
    Each raises `DeviceBusy` where somebody else works on the device for longer than `patience_s`.
    """

    def __init__(
        self,
        book: AuditBook,
        clock: Clock,
        locks: DeviceLocks,
        *,
        patience_s: float = PATIENCE_S,
        on_drift: Callable[[Audit, Sequence[str]], None] = _tell_nobody,
    ) -> None:
        self._on_drift = on_drift
        self.book = book
        self._clock = clock
        self._locks = locks
        self._patience_s = patience_s

    def audit(self, target: Target, *, first: First = nothing) -> tuple[Audit, tuple[str, ...]]:
        """Ask the device everything, and keep it, with what has come back since.

        Raises `ConfigError` for a camera without a device, and `StoreError`.
        """
        with self._asking(target, DeviceWork.AUDIT) as asking:
            first()
            return self._kept(target, asking)

    def plan(self, target: Target) -> Plan:
        """What a disarm would change just now; raises as `audit`, and as `disarm` for who answers."""
        with self._asking(target, DeviceWork.PLAN) as asking:
            self._require_known(target, asking)
            return plan_disarm(asking.web, self._clock, self._identity(target, asking), always=asking.onvif)

    def disarm(self, target: Target, order: Order, *, first: First = nothing) -> Disarm:
        """Carry out an order: audited before and after, each step kept before it is done.

        Raises as `audit`, `DeviceExchanged` where another device answers, and `DeviceNotTold` where nobody says who it is.
        """
        order.check()
        with self._asking(target, DeviceWork.DISARM) as asking:
            self._require_known(target, asking)
            before, _ = self._kept(target, asking)
            return disarm_device(
                order,
                plan_disarm(asking.web, self._clock, before.identity, always=asking.onvif),
                asking.web,
                self._clock,
                _Rows(self.book, first),
                lambda: self._kept(target, asking)[0],
                audit_before=before.audit_id,
                dialects=(*asking.onvif, *DIALECTS),
            )

    def roll_back(self, target: Target, disarm_id: str, by: str, authorisation: str, *, first: First = nothing) -> Disarm:
        """Put back what a disarm took along that is not of faces, and audit again; the disarm's own audits stay. Raises as `disarm`.

        Raises `ConfigError` for a disarm that there is not, that has changed nothing, or that was rolled back already.
        """
        check_authorisation(authorisation)
        with self._asking(target, DeviceWork.ROLLBACK) as asking:
            row = self.book.disarm(disarm_id)
            if row is None or row.camera != target.name:
                raise ConfigError(f"there is no disarm {disarm_id[:60]}", remedy="see which there are")
            check_rollback(row)
            self._require_known(target, asking)
            first()
            rolled = roll_back(row, by, authorisation, asking.web, self._clock, self.book.update_disarm)
            after, _ = self._kept(target, asking)
            rolled = replace(rolled, rollback_audit=after.audit_id)
            self.book.update_disarm(rolled)
            return rolled

    def _kept(self, target: Target, asking: _Asking) -> tuple[Audit, tuple[str, ...]]:
        """A new audit, kept with its drift: beside what was known of the device before."""
        identity = self._identity(target, asking)
        found = audit_device(target.name, asking.web, self._clock, identity=identity, always=asking.onvif)
        before = last_known([kept.audit for kept in self.book.audits(target.name, limit=_LOOK_BACK)])
        drift = compare(before, found) if before is not None else ()
        self.book.add_audit(found, drift=drift)
        if drift:
            self._on_drift(found, drift)
        return found, drift

    def _identity(self, target: Target, asking: _Asking) -> DeviceIdentity | None:
        """Who the device says it is, or was when it last said so; None where nobody knows."""
        return self._said(target, asking) or self._known(target)

    def _known(self, target: Target) -> DeviceIdentity | None:
        row = self.book.device(target.name)
        return row.identity if row is not None else None

    def _said(self, target: Target, asking: _Asking) -> DeviceIdentity | None:
        """Who the device says it is, in ONVIF or in its maker's own way; None where it does not say, or does not answer."""
        known = self._known(target)
        fitting = tuple(dialect for dialect in DIALECTS if known is not None and dialect.speaks(known))
        for dialect in (*asking.onvif, *(fitting or DIALECTS)):
            try:
                said = dialect.identify(asking.web)
            except CameraUnreachable:
                return None
            except CameraError:
                continue
            if said is not None:
                return said
        return None

    def _require_known(self, target: Target, asking: _Asking) -> None:
        """Nothing is changed on a device that somebody has put in the place of the known one, nor on one that says nothing of itself."""
        said, known = self._said(target, asking), self._known(target)
        if said is None or (known is not None and not _is_comparable(known, said)):
            raise DeviceNotTold(
                f"what answers for {target.name} does not say who it is, so that nothing is changed on it",
                remedy="is it on, and are user and password right? `lamppost camera device` tells more",
            )
        if known is not None and known.is_another(said):
            raise DeviceExchanged(
                f"another device answers for {target.name} than the known one", remedy="look at it first, and say that it is the right one"
            )

    @contextmanager
    def _asking(self, target: Target, work: DeviceWork) -> Generator[_Asking]:
        """The way to a device, for one who asks it alone. One ONVIF conversation, so that it knows of a password that was refused."""
        user, password = device_user(target.camera), device_password(target.camera, target.password)
        with self._alone(target, work), device_web(target.camera, target.settings, self._clock, target.password) as web:
            yield _Asking(web, onvif_of(web, self._clock, user, password))

    def _alone(self, target: Target, work: DeviceWork) -> AbstractContextManager[None]:
        return self._locks.hold(target.name, work, patience_s=self._patience_s)


@dataclass(frozen=True, slots=True)
class _Asking:
    """A device that is being asked, and ONVIF, which is spoken with every device."""

    web: DeviceWeb
    onvif: tuple[Dialect, ...]


def _is_comparable(known: DeviceIdentity, said: DeviceIdentity) -> bool:
    """Whether it can be told that they are one device; where nothing is known to tell it by, whoever answers is taken for it."""
    return bool((known.serial and said.serial) or (known.mac and said.mac)) or not (known.serial or known.mac)


class _Rows:
    """Keeps each state of a disarm: the first as a new row, with the act before it."""

    def __init__(self, book: AuditBook, first: First) -> None:
        self._book = book
        self._first = first
        self._is_there = False

    def __call__(self, row: Disarm) -> None:
        if self._is_there:
            self._book.update_disarm(row)
        else:
            self._book.add_disarm(row, first=self._first)
            self._is_there = True


def unanswered(audit: Audit) -> str:
    """Why an audit has no answer at all; empty where it has one."""
    if any(evidence.outcome is Outcome.ANSWERED for evidence in audit.evidence):
        return ""
    return next((evidence.problem for evidence in audit.evidence if evidence.problem), "it has answered nothing")


def open_audits(folder: DataFolder, clock: Clock, by: str, *, on_drift: Callable[[Audit, Sequence[str]], None] = _tell_nobody) -> AuditDesk:
    """On the device book of a data folder; `by` says to others whose they are: "the server"."""
    return AuditDesk(DeviceBook(folder), clock, DeviceLocks(folder, clock, by), on_drift=on_drift)


def target_of(camera: CameraSettings, settings: Settings) -> Target:
    """The device of a configured camera, with its password; raises `ConfigError`."""
    with CredentialKeeper(DataFolder(settings.data)) as keeper:
        return Target(camera, settings, keeper.password_of(camera))
