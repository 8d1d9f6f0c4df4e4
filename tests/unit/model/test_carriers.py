"""Who may be told of events, and what a mistake in a table is called; no secret stands in one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lamppost.model.carriers import NotifySettings
from lamppost.model.settings import SealingSettings, Settings

MQTT = {"name": "broker", "type": "mqtt", "url": "mqtt://broker.example"}
HOOK = {"name": "hook", "type": "webhook", "url": "https://hook.example/in?key=kanarienvogel", "secret_file": "secret"}
MAIL = {"name": "mail", "type": "apprise", "urls_file": "urls"}


@pytest.mark.parametrize("table", [MQTT, HOOK, MAIL], ids=lambda table: table["type"])
def test_each_type_needs_little_and_wants_everything(table: dict[str, Any]) -> None:
    carrier = NotifySettings(**table)
    assert (carrier.severity, carrier.types, carrier.cameras, carrier.give_up_h) == ("info", (), (), 24.0)
    again = NotifySettings.model_validate(carrier.model_dump(mode="json"))
    assert again == carrier, "as it reaches a child"


@pytest.mark.parametrize("key", list(NotifySettings.model_fields))
def test_every_setting_is_described(key: str) -> None:
    assert len(NotifySettings.model_fields[key].description or "") > 15


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (MQTT | {"url": None}, "needs url"),
        (HOOK | {"secret_file": None}, "needs secret_file"),
        (MAIL | {"urls_file": None}, "needs urls_file"),
        (MQTT | {"url": "https://broker.example"}, "mqtt://"),
        (MQTT | {"url": "mqtt://op:kanarienvogel@broker.example"}, "do not stand in the address"),
        (MQTT | {"url": "mqtt://broker.example/topic"}, "nothing behind them"),
        (MQTT | {"url": "mqtt://"}, "no host"),
        (MQTT | {"url": "mqtt://broker.example:99999"}, "not a URL"),
        (MQTT | {"url": "mqtt://bro ker"}, "no host"),
        (HOOK | {"url": "ftp://hook.example"}, "https://"),
        (MQTT | {"password_file": "x"}, "needs username"),
        (MQTT | {"secret_file": "x"}, "nothing for a carrier of type 'mqtt'"),
        (HOOK | {"topic_prefix": "x"}, "nothing for a carrier of type 'webhook'"),
        (MAIL | {"url": "https://x.example"}, "nothing for a carrier of type 'apprise'"),
        (HOOK | {"key_file": "x"}, "needs certificate_file"),
        (MQTT | {"topic_prefix": "a/+/b"}, r"no '\+'"),
        (MQTT | {"topic_prefix": "/a"}, "none at the ends"),
        (MQTT | {"name": "The Broker"}, "lower-case"),
        (MQTT | {"name": "x" * 64}, "lower-case"),
        (MQTT | {"give_up_h": 0}, "greater than 0"),
        (MQTT | {"severity": "loud"}, "alarm"),
        (MQTT | {"password": "x"}, "Extra inputs"),
    ],
)
def test_a_mistake_is_told(table: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint) as caught:
        NotifySettings(**table)
    told = [error["msg"] for error in caught.value.errors(include_url=False, include_input=False)]
    assert "kanarienvogel" not in "".join(told)


def test_what_is_shown_of_an_address_holds_no_key() -> None:
    assert NotifySettings(**HOOK).address == "https://hook.example"
    assert NotifySettings(**MAIL).address == "urls"
    assert NotifySettings(**MQTT).is_plain
    assert not NotifySettings(**HOOK).is_plain


def test_names_differ() -> None:
    sealing = SealingSettings(custodians=("age1" + "q" * 58, "age1" + "p" * 58), threshold=2)
    with pytest.raises(ValidationError, match="two carriers are called 'mail'"):
        Settings(data=Path("x"), sealing=sealing, notify=(NotifySettings(**MAIL), NotifySettings(**MAIL)))
