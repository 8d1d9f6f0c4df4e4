"""Brings the caretaker together with devices, the device book, the configuration and the search on the network."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from random import Random
from typing import Any, Final

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraRefused, CameraUnreachable, ConfigError, DeviceBusy, StoreError
from lamppost.base.ids import timed_id
from lamppost.base.logging import get_logger, redact
from lamppost.base.names import Lookup
from lamppost.cameras.discovery import lasts_s, search
from lamppost.cameras.knocking import DOORS, Door
from lamppost.cameras.web import DeviceAddress
from lamppost.model.books import Act, Severity
from lamppost.model.devices import Audit, DeviceIdentity, StreamProfile
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.alarms import ACTOR
from lamppost.pipeline.caring import MOST_AUDITS, CareTools, DeviceCare, Talk
from lamppost.pipeline.child import ChildContext
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.pipeline.device_access import device_address, device_password
from lamppost.pipeline.device_audits import AuditDesk, Target, unanswered
from lamppost.pipeline.device_events import EventJournal, happening
from lamppost.pipeline.device_password_tools import NodePasswords, pending_of
from lamppost.pipeline.device_passwords import settle
from lamppost.pipeline.device_talk import open_talk
from lamppost.pipeline.finding_again import Finder, SearchTools
from lamppost.pipeline.new_address import host_of, with_host, write_new_address
from lamppost.store.device_book import DeviceBook
from lamppost.store.device_locks import DeviceLocks
from lamppost.store.journal import JournalWriter

IDENTIFY_S: Final = 3.0
SEARCH_S: Final = 4.0
LOOKUP_S: Final = 3.0
BY: Final = "the caretaker"


class BookOfCare:
    """The device book as care of a device needs it; opened when something is to be read or written, so that a full disk ends nothing."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._mutex = threading.Lock()
        self._book: DeviceBook | None = None
        self._desk: AuditDesk | None = None

    def identity(self, camera: str) -> DeviceIdentity | None:
        row = self._open().device(camera)
        return row.identity if row is not None else None

    def remember(self, camera: str, identity: DeviceIdentity, device_url: str, at_us: int) -> None:
        self._open().remember(camera, identity, device_url, at_us)

    def keep_profiles(self, camera: str, profiles: tuple[StreamProfile, ...], at_us: int) -> None:
        self._open().keep_profiles(camera, profiles, at_us)

    def note_health(self, camera: str, document: Mapping[str, Any], at_us: int) -> None:
        self._open().note_health(camera, document, at_us)

    def newest_audit_us(self, camera: str) -> int | None:
        kept = self._open().newest_audit(camera)
        return kept.audit.made_us if kept is not None else None

    def desk(self, clock: Clock) -> AuditDesk:
        """Where audits are made and kept."""
        book = self._open()
        with self._mutex:
            if self._desk is None:
                # No patience: a thread that waits is one less for all other devices.
                self._desk = AuditDesk(book, clock, DeviceLocks(self._folder, clock, BY), patience_s=0.0)
            return self._desk

    def close(self) -> None:
        if self._book is not None:
            self._book.close()

    def _open(self) -> DeviceBook:
        with self._mutex:
            if self._book is None:
                self._book = DeviceBook(self._folder)
            return self._book


class DeviceTools:
    """What the caretaker's work is done with, by the settings as they are now."""

    def __init__(self, context: ChildContext, journal: JournalWriter, events: EventJournal) -> None:
        self._context = context
        self._journal = journal
        self._events = events
        self._settings = context.settings
        self._book = BookOfCare(context.folder)
        self._random = Random()  # noqa: S311  # jitter, not secrecy
        self._audits = threading.BoundedSemaphore(MOST_AUDITS)

    @property
    def clock(self) -> Clock:
        return self._context.clock

    def use(self, settings: Settings) -> None:
        """From now on by these settings."""
        self._settings = settings

    def close(self) -> None:
        self._book.close()

    def act(self, kind: str, camera: str, detail: Mapping[str, Any]) -> None:
        """Put an act on the record, durable on return; raises `StoreError`."""
        now_us = self.clock.wall_us()
        self._journal.append(Act(timed_id(now_us), kind, now_us, ACTOR, camera, json.dumps(dict(detail))))

    def care_of(self, camera: CameraSettings) -> DeviceCare:
        tools = CareTools(
            clock=self.clock,
            book=self._book,
            journal=self._events,
            talk=self._talk,
            audit=self._audit,
            mend=self._mend,
            device_url=lambda camera: str(device_address(camera)),
            random=self._random,
            audits=self._audits,
        )
        return DeviceCare(camera, self._settings.devices, tools)

    def finder(self) -> Finder:
        tools = SearchTools(
            clock=self.clock,
            search=self._search,
            identify=self._identify,
            known=self._book.identity,
            holds=lambda address: self._settings.devices.camera_networks.holds(address),
            leads_to=leads_to,
            write=self._write,
            random=self._random,
        )
        return Finder(tools, self._context.stop)

    def _talk(self, camera: CameraSettings) -> Talk:
        return open_talk(camera, self._settings, self.clock, _password(camera), known=self._book.identity(camera.name))

    def _audit(self, camera: CameraSettings) -> tuple[Audit, tuple[str, ...]]:
        target = Target(camera, self._settings, _password(camera))
        desk = self._book.desk(self.clock)
        audit, drift = desk.audit(target, first=lambda: self.act("camera_audited", camera.name, {}))
        if problem := unanswered(audit):
            raise CameraUnreachable(f"it could not be audited: {problem}")
        return audit, drift

    def _mend(self, camera: CameraSettings) -> bool:
        if not pending_of(self._context.folder, camera.name):
            return False
        with CredentialKeeper(self._context.folder, self.clock) as keeper:
            tools = NodePasswords(
                self._context.folder,
                self._context.config,
                self._settings,
                self.clock,
                keeper,
                lambda name, detail: self.act("camera_password_rotated", name, detail),
                by=BY,
                patience_s=0.0,
            )
            try:
                return settle(camera, tools, most=1)  # the configured one was refused just now
            except DeviceBusy:  # whoever changes its password just now will have it named, or leaves it to the next time
                return False
            except (ConfigError, StoreError) as error:
                get_logger("caretaker").warning("a password that works cannot be named", camera=camera.name, problem=redact(str(error)))
                return False

    def _identify(self, camera: CameraSettings, address: str) -> DeviceIdentity:
        there = at_address(camera, address)
        known = self._book.identity(camera.name)
        with open_talk(there, self._settings, self.clock, _password(camera), known=known, timeout_s=IDENTIFY_S) as talk:
            identity = talk.identity()
            # Anybody can tell a serial number: who does not even ask for the password is not followed.
            if device_password(camera, _password(camera)) and not talk.has_signed_in:
                raise CameraRefused(f"what is at {address} asks for no password")
            return identity

    def _search(self, wanted: Mapping[str, DeviceIdentity], stop: threading.Event) -> Mapping[str, Collection[str]]:
        return search_network(wanted, self._settings, self.clock, stop)

    def _write(self, camera: CameraSettings, new: str) -> bool:
        config: Path | None = self._context.config
        old = device_address(camera).host
        if config is None:
            raise ConfigError("this node runs without a configuration file", remedy="start it with one")
        detail = {"from": old, "to": new}
        is_written = write_new_address(config, camera.name, old, new, first=lambda: self.act("camera_found_again", camera.name, detail))
        if is_written:
            note = f"at {old} before, at {new} now"
            self._events.write(*happening("camera_found_again", Severity.INFO, camera.name, self.clock.wall_us(), note))
        return is_written


def _password(camera: CameraSettings) -> str | None:
    return camera.resolved_password()


def leads_to(host: str) -> tuple[str, ...]:
    """The addresses that a host leads to just now; none where nobody knows in time."""
    try:
        return tuple(place.number for place in Lookup(host, 0).places(LOOKUP_S))
    except TimeoutError:
        return ()


def at_address(camera: CameraSettings, address: str) -> CameraSettings:
    """The camera as it would be there: where its device is asked, and nothing else, is changed."""
    url = str(device_address(camera))
    return camera.model_copy(update={"device_url": with_host(url, host_of(url), address)})


def search_network(
    wanted: Mapping[str, DeviceIdentity], settings: Settings, clock: Clock, stop: threading.Event
) -> Mapping[str, Collection[str]]:
    """For each wanted device, where it may be, the likeliest first: bounded in time. Raises `ConfigError` and `OSError`."""
    devices = settings.devices
    addresses = addresses_in(settings)
    pins = {camera.name: camera.device_certificate_sha256 for camera in settings.camera}
    # What takes a connection at one of the usual doors, and is no device, is offered no password.
    doors = {Door.of(str(address)) for name, address in addresses.items() if name in wanted} - set(DOORS)
    ports = {door.port for door in doors}
    # Where another camera is, none that is lost can be.
    taken = {address.host for name, address in addresses.items() if name not in wanted}
    open_: set[str] = set()
    heard = search(
        devices.camera_networks,
        clock,
        interfaces=devices.interfaces,
        ranges=devices.search,
        doors=doors,
        timeout_s=max(SEARCH_S, lasts_s(devices.search)),
        stop=stop,
        on_open=lambda address, port: open_.add(address) if port in ports else None,
    )
    called = [(one.address, one.identity) for one in heard]
    shown = {(one.address, one.certificate_sha256) for one in heard}
    silent = open_ - {address for address, _ in called}
    found: dict[str, Collection[str]] = {}
    for camera, known in wanted.items():
        pinned = pins.get(camera)
        certain = [address for address, said in called if known.is_same_device(said) or (address, pinned) in shown]
        likely = [address for address, said in called if may_be(known, said)]
        unsaid = sorted(silent, key=lambda address: ip_address(address).packed)
        found[camera] = [address for address in dict.fromkeys([*certain, *likely, *unsaid]) if address not in taken]
    return found


def addresses_in(settings: Settings) -> dict[str, DeviceAddress]:
    """Where the device of each camera is asked; without those whose address cannot be used, so that they stop no search for others."""
    found: dict[str, DeviceAddress] = {}
    for camera in settings.camera:
        with suppress(ConfigError):
            found[camera.name] = device_address(camera)
    return found


def may_be(known: DeviceIdentity, said: DeviceIdentity) -> bool:
    """Whether a device that says this of itself unasked may be the known one: nothing that it says is otherwise."""
    if said.serial or said.mac:
        return known.is_same_device(said) or not ((known.serial and said.serial) or (known.mac and said.mac))
    return (
        not (known.model and said.model)
        or known.model.casefold() in said.model.casefold()
        or said.model.casefold() in known.model.casefold()
    )


def open_tools(context: ChildContext, journal: JournalWriter, events: EventJournal) -> DeviceTools:
    """The tools of a caretaker process; close them."""
    return DeviceTools(context, journal, events)
