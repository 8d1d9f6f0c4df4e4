"""Who is told of events, and how: the tables `[[notify]]` of `lamppost.toml`.

Every field's description is its documentation. No secret stands in them: files are named that hold one.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, field_validator, model_validator

from lamppost.model.books import Severity
from lamppost.model.paths import FilePath
from lamppost.model.section import Section

_CARRIER_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_TOPIC: Final = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
_OF_CARRIERS: Final = {
    "url": ("mqtt", "webhook"),
    "topic_prefix": ("mqtt",),
    "username": ("mqtt",),
    "password_file": ("mqtt",),
    "secret_file": ("webhook",),
    "ca_file": ("mqtt", "webhook"),
    "certificate_file": ("mqtt", "webhook"),
    "key_file": ("mqtt", "webhook"),
    "urls_file": ("apprise",),
    "attach_snapshot": ("apprise",),
}
NOTIFY_FILES: Final = ("password_file", "secret_file", "ca_file", "certificate_file", "key_file", "urls_file")
_NOT_IN_ADDRESS: Final = re.compile(r"[\s\x00-\x1f\x7f'\"]")


class NotifySettings(Section):
    """Somebody who is told of events. Repeat the table `[[notify]]` for each."""

    name: str = Field(description="Name of the carrier, once in the file: 1 to 63 lower-case letters, digits and hyphens.")
    type: Literal["mqtt", "webhook", "apprise"] = Field(
        description="How it is told: `mqtt`, a broker; `webhook`, a signed HTTP request; `apprise`, e-mail and many other services."
    )
    severity: Severity = Field(default=Severity.INFO, description="The least severity it wants: `info`, `warning` or `alarm`.")
    types: tuple[str, ...] = Field(
        default=(), max_length=64, description='The types of events it wants, such as `["zone_entered"]`; all where empty.'
    )
    cameras: tuple[str, ...] = Field(
        default=(),
        max_length=1024,
        description="The cameras it wants to hear of; all where empty, and then events of the node itself as well.",
    )
    give_up_h: Annotated[float, Field(gt=0, le=720)] = Field(
        default=24.0, description="A message that could not be delivered for so many hours becomes a dead letter."
    )
    url: str | None = Field(
        default=None, description="For `mqtt`: `mqtt://HOST[:PORT]` or `mqtts://HOST[:PORT]`. For `webhook`: an `https://` address."
    )
    topic_prefix: str = Field(default="lamppost", description="For `mqtt`: what its topics begin with.")
    username: str | None = Field(default=None, description="For `mqtt`: the user.")
    password_file: FilePath | None = Field(default=None, description="For `mqtt`: a file whose first line is the password.")
    secret_file: FilePath | None = Field(
        default=None, description="For `webhook`: a file whose first line is the secret that signs each request; 16 characters at least."
    )
    ca_file: FilePath | None = Field(
        default=None, description="For `mqtts://` and `https://`: the authorities that vouch for the server; those of the system otherwise."
    )
    certificate_file: FilePath | None = Field(
        default=None, description="For `mqtts://` and `https://`: our own certificate, where it is asked for."
    )
    key_file: FilePath | None = Field(default=None, description="The key of `certificate_file`, where it is not in the same file.")
    urls_file: FilePath | None = Field(
        default=None, description="For `apprise`: a file with one of Apprise's addresses a line; they hold passwords, so they stand apart."
    )
    attach_snapshot: bool = Field(default=False, description="For `apprise`: send the masked picture of the event along.")

    @field_validator("name")
    @classmethod
    def _name_is_usable(cls, name: str) -> str:
        if not _CARRIER_NAME.fullmatch(name):
            raise ValueError("a name has 1 to 63 lower-case letters, digits and hyphens, such as 'control-room'")
        return name

    @field_validator("topic_prefix")
    @classmethod
    def _is_a_topic(cls, prefix: str) -> str:
        if not _TOPIC.fullmatch(prefix):
            raise ValueError("letters, digits, '-', '_' and '.', with '/' between them: no '+', no '#', none at the ends")
        return prefix

    @model_validator(mode="after")
    def _has_what_its_type_needs(self) -> NotifySettings:
        needed = {"mqtt": ("url",), "webhook": ("url", "secret_file"), "apprise": ("urls_file",)}[self.type]
        for key in needed:
            if getattr(self, key) is None:
                raise ValueError(f"a carrier of type {self.type!r} needs {key}")
        for key, types in _OF_CARRIERS.items():
            if self.type not in types and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key} is nothing for a carrier of type {self.type!r}")
        if self.url is not None:
            split_carrier_url(self.url, ("mqtt", "mqtts") if self.type == "mqtt" else ("http", "https"))
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file needs username")
        if self.key_file is not None and self.certificate_file is None:
            raise ValueError("key_file needs certificate_file")
        return self

    @property
    def address(self) -> str:
        """Where it carries to, as far as that may be shown: of a webhook's address the path may be a key."""
        if self.url is None:
            return str(self.urls_file)
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_plain(self) -> bool:
        """Whether what it sends can be read on its way."""
        return self.url is not None and urlsplit(self.url).scheme in ("http", "mqtt")


def split_carrier_url(url: str, schemes: tuple[str, ...]) -> SplitResult:
    """The parts of a carrier's address; raises `ValueError` for one that cannot be used, or that holds a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError("this is not a URL") from error
    if parts.scheme not in schemes:
        raise ValueError(f"its address begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if not parts.hostname or port == 0 or _NOT_IN_ADDRESS.search(url):
        raise ValueError("its address names no host that can be reached")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user and a password do not stand in the address: there are username, password_file and secret_file")
    if "mqtt" in schemes and (parts.path not in ("", "/") or parts.query or parts.fragment):
        raise ValueError("the address of a broker has a host and a port, and nothing behind them")
    return parts
