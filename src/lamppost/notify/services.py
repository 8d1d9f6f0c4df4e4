"""Sends notices to e-mail and some hundred other services, through the library Apprise.

Its addresses hold passwords and tokens: they stand in a file of their own, and nothing of them is ever said.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat, NotifyType, PersistentStoreMode
from apprise.attachment.file import AttachFile

from lamppost.base.errors import CarrierDown
from lamppost.model.books import Severity
from lamppost.model.carriers import NotifySettings
from lamppost.notify.notice import Notice

MOST_SERVICES: Final = 50
_REMEMBERED: Final = 256
_TYPES: Final = {Severity.INFO: NotifyType.INFO, Severity.WARNING: NotifyType.WARNING, Severity.ALARM: NotifyType.FAILURE}


@dataclass(slots=True)
class _Services:
    """The services of a file, and which of them have taken what: who took it is not told again because another did not."""

    text: str
    services: tuple[NotifyBase, ...]
    taken: dict[str, set[int]] = field(default_factory=dict[str, set[int]])


class ServicesCarrier:
    """Tells every service of a file; delivered means that each has taken it.

    After a crash, services that had taken a notice may be told once more.
    """

    def __init__(self, settings: NotifySettings) -> None:
        if settings.urls_file is None:
            raise ValueError("the services stand in a file")
        self._path = settings.urls_file
        self._attaches = settings.attach_snapshot
        self._services: _Services | None = None

    def open(self) -> None:
        text = _read(self._path)
        if self._services is None or self._services.text != text:
            self._services = _Services(text, parse_services(text, self._path))

    def send(self, notice: Notice) -> None:
        self.open()
        known = self._services
        if known is None:
            raise CarrierDown("it is not open")
        taken = known.taken.setdefault(notice.id, set())
        missing: list[str] = []
        for number, service in enumerate(known.services, 1):
            if number in taken:
                continue
            if self._tell(service, notice):
                taken.add(number)
            else:
                missing.append(f"number {number} ({service.service_name})")
        if missing:
            while len(known.taken) > _REMEMBERED:
                known.taken.pop(next(iter(known.taken)))
            raise CarrierDown(f"{len(missing)} service(s) did not take it: {', '.join(missing[:5])}", is_about_all=False)
        known.taken.pop(notice.id, None)

    def close(self) -> None:
        self._services = None

    def _tell(self, service: NotifyBase, notice: Notice) -> bool:
        picture = notice.snapshot if self._attaches else None
        teller: Any = Apprise(service, asset=service.asset)
        make_attachment: Any = AttachFile  # the library types neither it nor what `notify` takes
        attach = make_attachment(str(picture), name=picture.name) if picture is not None else None
        # Plain text: what a camera's place is called must not become markup at the other side.
        return bool(
            teller.notify(
                body=notice.text,
                title=notice.title,
                notify_type=_TYPES[notice.severity],
                body_format=NotifyFormat.TEXT,
                attach=attach,
                interpret_escapes=False,
            )
        )


def parse_services(text: str, path: Path) -> tuple[NotifyBase, ...]:
    """One service for each line that is no comment; raises `CarrierDown`, which names the line and shows nothing of it."""
    # What the library would log are addresses, more or less shortened.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    asset = AppriseAsset(
        app_id="Lamppost",
        app_desc="Lamppost",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        http_redirects=False,
        storage_mode=PersistentStoreMode.MEMORY,
        service_timeout=0,  # each has time-outs of its own; the library's would leave threads behind
    )
    library: Any = Apprise
    services: list[NotifyBase] = []
    for number, line in enumerate(text.splitlines(), 1):
        address = line.strip()
        if not address or address.startswith("#"):
            continue
        service: NotifyBase | None = library.instantiate(address, asset=asset)
        if service is None:
            raise CarrierDown(f"{path}, line {number}: this is no address that Apprise knows", remedy="compare it with Apprise's own list")
        services.append(service)
    if not services:
        raise CarrierDown(f"{path} names no service", remedy="write one address of Apprise in a line")
    if len(services) > MOST_SERVICES:
        raise CarrierDown(f"{path} names {len(services)} services, more than {MOST_SERVICES}", remedy="make several carriers of them")
    return tuple(services)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CarrierDown(f"its urls_file {path} cannot be read", remedy="let Lamppost's user read it") from error
