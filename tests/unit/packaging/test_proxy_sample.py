"""The sample for Caddy fits the server: its address, its settings, and nothing that would spoil what passes through."""

from __future__ import annotations

import re
import tomllib
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from lamppost.api.bodies import LARGEST_BYTES
from lamppost.api.headers import HSTS
from lamppost.api.server import KEEP_ALIVE_S
from lamppost.model.server_settings import ServerSettings

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "deploy" / "Caddyfile").read_text()
LINES = [line.strip() for line in TEXT.splitlines() if line.strip() and not line.strip().startswith("#")]
WORDS = {line.split()[0] for line in LINES}
# Those of Caddy 2.6, which Debian has, as far as they are used.
KNOWN = {"header", "request_body", "max_size", "reverse_proxy", "lb_try_duration", "lb_try_interval", "transport", "keepalive"}


def asked_for() -> ServerSettings:
    """The settings that its comment asks for, read as `lamppost.toml` is."""
    wanted = "\n".join(re.findall(r"^#   (.+)$", TEXT, re.MULTILINE))
    return ServerSettings.model_validate(tomllib.loads(wanted)["server"])


def said(word: str) -> str:
    (line,) = [line for line in LINES if line.split()[0] == word]
    return line.removeprefix(word).removesuffix("{").strip()


def test_it_is_a_site_of_blocks_that_are_closed_and_words_that_caddy_knows() -> None:
    assert TEXT.count("{") == TEXT.count("}")
    (site,) = [line for line in TEXT.splitlines() if line.endswith("{") and not line[0].isspace()]
    assert {site.split()[0], "}"} | KNOWN == WORDS


def test_its_site_and_its_upstream_are_those_of_the_settings_it_asks_for() -> None:
    wanted = asked_for()
    assert said("reverse_proxy") == wanted.listen == ServerSettings().listen
    assert urlsplit(wanted.public_url).scheme == "https"
    assert urlsplit(wanted.public_url).netloc in WORDS
    host = said("reverse_proxy").rpartition(":")[0]
    assert ip_address(host).is_loopback, "nobody reaches the server without TLS"
    assert host in wanted.trusted_proxies


def test_browsers_are_told_to_come_by_tls_as_lamppost_tells_them() -> None:
    assert f'header Strict-Transport-Security "{HSTS}"' in LINES


def test_what_passes_is_not_packed_kept_or_written_down() -> None:
    assert not WORDS & {"encode", "log", "flush_interval", "header_up", "request_header", "buffer_responses", "response_buffers", "cache"}


def test_no_connection_is_used_that_the_server_may_have_closed() -> None:
    assert float(said("keepalive").removesuffix("s")) < KEEP_ALIVE_S


def test_the_longest_body_that_the_server_takes_passes() -> None:
    assert int(said("max_size").removesuffix("MB")) * 1_000_000 >= LARGEST_BYTES


def test_the_guides_name_it() -> None:
    for name in ("install.md", "access.md"):
        assert "deploy/Caddyfile" in (ROOT / "docs" / "guide" / name).read_text(), name
