"""Audits and disarms the devices behind configured cameras, and keeps what came of it in the device book."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError, ConfigError
from lamppost.cameras.audit import audit_device, compare, last_known, onvif_of
from lamppost.cameras.dialects.dialect import Dialect, Plan
from lamppost.cameras.dialects.known import DIALECTS
from lamppost.cameras.disarm import Order, check_authorisation, disarm_device, plan_disarm, roll_back
from lamppost.cameras.web import DeviceWeb
from lamppost.model.books import EventClosed, EventOpened, Severity
from lamppost.model.devices import Audit, DeviceIdentity, Evidence, Outcome
from lamppost.model.disarming import Disarm
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.pipeline.device_access import DeviceExchanged, device_password, device_user, device_web
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
        with self._alone(target, DeviceWork.AUDIT), self._web(target) as web:
            first()
            return self._kept(target, web)

    def plan(self, target: Target) -> Plan:
        """What a disarm would change just now; raises as `audit`."""
        with self._alone(target, DeviceWork.PLAN), self._web(target) as web:
            self._require_known(target, web)
            return plan_disarm(web, self._clock, self._identity(target, web), always=self._onvif(target, web))

    def disarm(self, target: Target, order: Order, *, first: First = nothing) -> Disarm:
        """Carry out an order: audited before and after, each step kept before it is done. Raises as `audit`."""
        order.check()
        with self._alone(target, DeviceWork.DISARM), self._web(target) as web:
            self._require_known(target, web)
            before, _ = self._kept(target, web)
            onvif = self._onvif(target, web)
            plan = plan_disarm(web, self._clock, before.identity, always=onvif)
            keep = _Rows(self.book, first)

            return disarm_device(
                order,
                plan,
                web,
                self._clock,
                keep,
                lambda: self._kept(target, web)[0],
                audit_before=before.audit_id,
                dialects=(*onvif, *DIALECTS),
            )

    def roll_back(self, target: Target, disarm_id: str, by: str, authorisation: str, *, first: First = nothing) -> Disarm:
        """Put back what a disarm took along that is not of faces, and audit again. Raises as `audit`."""
        check_authorisation(authorisation)
        with self._alone(target, DeviceWork.ROLLBACK), self._web(target) as web:
            row = self.book.disarm(disarm_id)
            if row is None or row.camera != target.name:
                raise ConfigError(f"there is no disarm {disarm_id[:60]}", remedy="see which there are")
            first()
            rolled = roll_back(row, by, authorisation, web, self._clock, self.book.update_disarm)
            after, _ = self._kept(target, web)
            rolled = replace(rolled, audit_after=after.audit_id)
            self.book.update_disarm(rolled)
            return rolled

    def _kept(self, target: Target, web: DeviceWeb) -> tuple[Audit, tuple[str, ...]]:
        """A new audit, kept with its drift: beside what was known of the device before."""
        found = audit_device(target.name, web, self._clock, identity=self._identity(target, web), always=self._onvif(target, web))
        before = last_known([kept.audit for kept in self.book.audits(target.name, limit=_LOOK_BACK)])
        drift = compare(before, found) if before is not None else ()
        self.book.add_audit(found, drift=drift)
        if drift:
            self._on_drift(found, drift)
        return found, drift

    def _identity(self, target: Target, web: DeviceWeb) -> DeviceIdentity | None:
        """Who the device says it is, or was when it last said so; None where nobody knows."""
        said = self._said(target, web)
        if said is not None:
            return said
        known = self.book.device(target.name)
        return known.identity if known is not None else None

    def _said(self, target: Target, web: DeviceWeb) -> DeviceIdentity | None:
        with contextlib.suppress(CameraError):
            return self._onvif(target, web)[0].identify(web)
        return None

    def _require_known(self, target: Target, web: DeviceWeb) -> None:
        """Raises `DeviceExchanged`: nothing is changed on a device that somebody has put in the place of the known one."""
        said, known = self._said(target, web), self.book.device(target.name)
        if said is not None and known is not None and known.identity.is_another(said):
            raise DeviceExchanged(
                f"another device answers for {target.name} than the known one", remedy="look at it first, and say that it is the right one"
            )

    def _onvif(self, target: Target, web: DeviceWeb) -> tuple[Dialect, ...]:
        return onvif_of(web, self._clock, device_user(target.camera), device_password(target.camera, target.password))

    def _web(self, target: Target) -> DeviceWeb:
        return device_web(target.camera, target.settings, self._clock, target.password)

    def _alone(self, target: Target, work: DeviceWork) -> AbstractContextManager[None]:
        return self._locks.hold(target.name, work, patience_s=self._patience_s)


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
