"""What every carrier can do, and which one a table of the configuration asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from lamppost.base.errors import CarrierDown
from lamppost.model.carriers import NotifySettings
from lamppost.notify.notice import Notice


class Carrier(Protocol):
    """Takes notices to one place. All of it is called by one thread; each call returns within its time-outs.

    None of the errors that it raises holds a secret.
    """

    def open(self) -> None:
        """Be ready to send; does nothing where that is so. Raises `CarrierDown`."""
        ...

    def send(self, notice: Notice) -> None:
        """Deliver `notice`: on return the other side has it for good.

        Raises `CarrierDown`: it may or may not have it, and is asked again; and `NoticeRefused`.
        """
        ...

    def close(self) -> None:
        """Let go of everything; `open` may follow."""
        ...


def make_carrier(settings: NotifySettings) -> Carrier:
    """The carrier that `settings` describe, not opened; its library is loaded here."""
    match settings.type:
        case "mqtt":
            from lamppost.notify.mqtt import MqttCarrier

            return MqttCarrier(settings)
        case "webhook":
            from lamppost.notify.webhook import WebhookCarrier

            return WebhookCarrier(settings)
        case "apprise":
            from lamppost.notify.services import ServicesCarrier

            return ServicesCarrier(settings)


def read_secret(path: Path, what: str, *, least: int = 1) -> str:
    """The first line of the file at `path`; raises `CarrierDown`, which names the file and shows nothing of it."""
    try:
        secret = path.read_text(encoding="utf-8").splitlines()[0].strip()
    except (OSError, UnicodeDecodeError, IndexError) as error:
        raise CarrierDown(f"its {what} {path} cannot be read", remedy="let Lamppost's user read it; its first line counts") from error
    if len(secret) < least:
        raise CarrierDown(f"the first line of its {what} {path} has fewer than {least} characters")
    return secret
