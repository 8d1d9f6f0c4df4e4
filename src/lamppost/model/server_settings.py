"""Who may reach the console, the API and the metrics, and how: the tables `[server]` and `[metrics]` of `lamppost.toml`.

Every field's description is its documentation.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from lamppost.model.paths import FilePath
from lamppost.model.section import Section

_LISTEN = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+):(?P<port>[0-9]{1,5})")


class MetricsSettings(Section):
    """Prometheus metrics of all processes, at one place."""

    listen: str = Field(
        default="127.0.0.1:9464",
        description="Address and port of `/metrics`; empty: none. They name cameras, and nobody is asked who they are.",
    )

    @field_validator("listen")
    @classmethod
    def _is_an_address(cls, listen: str) -> str:
        if listen:
            split_listen(listen)
        return listen


SERVER_FILES = ("certificate_file", "key_file", "backup_folder")
"""Settings of the server that name files or folders beside the configuration."""


class ServerSettings(Section):
    """The console and the API: who may reach them, and how."""

    listen: str = Field(
        default="127.0.0.1:8080", description="Address and port of the console and its API, such as `0.0.0.0:8443`; empty: none."
    )
    public_url: str = Field(
        default="",
        description="The address that people type, such as `https://console.example.org`, where a proxy stands before it. Links are made "
        "of it, and pages from elsewhere are refused.",
    )
    certificate_file: FilePath | None = Field(default=None, description="The certificate chain for TLS, as PEM; with `key_file`.")
    key_file: FilePath | None = Field(default=None, description="The private key of the certificate, as PEM.")
    trusted_proxies: tuple[str, ...] = Field(
        default=(),
        description='Addresses or networks of proxies whose `X-Forwarded-For` is believed, such as `["127.0.0.1", "10.0.0.0/8"]`.',
    )
    session_hours: Annotated[float, Field(ge=0.1, le=720)] = Field(
        default=12.0, description="Who has signed in stays so for this long at most, in hours."
    )
    idle_minutes: Annotated[float, Field(ge=1, le=43_200)] = Field(
        default=720.0, description="Who does nothing for so long is signed out, in minutes."
    )
    backup_folder: FilePath | None = Field(default=None, description="Where the console puts backups; none: it makes none.")

    @field_validator("listen")
    @classmethod
    def _is_an_address(cls, listen: str) -> str:
        if listen:
            split_listen(listen)
        return listen

    @field_validator("certificate_file", "key_file", "backup_folder")
    @classmethod
    def _empty_is_none(cls, path: Path | None) -> Path | None:
        return None if path == Path() else path

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ip_network(proxy)
            except ValueError as error:
                raise ValueError(f"{proxy!r} is no address and no network; write it as 127.0.0.1 or 10.0.0.0/8") from error
        return proxies

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment):
            raise ValueError("write it as https://console.example.org, without a path")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _has_both(self) -> ServerSettings:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("give certificate_file and key_file, or neither")
        return self


def split_listen(listen: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`, IPv6 in brackets; raises `ValueError`."""
    match = _LISTEN.fullmatch(listen)
    if match is None or int(match["port"]) > 65_535:
        raise ValueError(f"{listen!r} is no address; write it as 127.0.0.1:9464")
    return match["host"].strip("[]"), int(match["port"])
