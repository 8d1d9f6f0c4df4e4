"""The users of a simulated camera: made, changed and removed, and each held to what its level may do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from asked_camera import LOOPBACK, Asking, asking
from lamppost.base.clock import SystemClock
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.web import DeviceAddress, DeviceWeb

_USER = "<tds:User><tt:Username>{}</tt:Username><tt:Password>{}</tt:Password><tt:UserLevel>{}</tt:UserLevel></tds:User>"
_PASSWORD = "correct horse"
_PROFILE = "<tptz:ProfileToken>main</tptz:ProfileToken>"


@pytest.fixture
def client() -> Iterator[Asking]:
    with SimulatedCamera("onvif") as camera, asking(camera) as client:
        yield client


def user(name: str, level: str, password: str = _PASSWORD) -> str:
    return _USER.format(name, password, level)


def levels(client: Asking) -> dict[str, str]:
    return {one.value("Username"): one.value("UserLevel") for one in client.ask("tds:GetUsers").own("User")}


def test_users_are_made_changed_and_removed(client: Asking) -> None:
    client.ask("tds:CreateUsers", user("guard", "Operator") + user("guest", "User"))
    assert levels(client) == {"admin": "Administrator", "guard": "Operator", "guest": "User"}
    client.ask("tds:SetUser", "<tds:User><tt:Username>guest</tt:Username><tt:UserLevel>Operator</tt:UserLevel></tds:User>")
    assert levels(client)["guest"] == "Operator"
    assert client.camera.state.users["guest"] == _PASSWORD, "a password that is not named stays"
    client.ask("tds:DeleteUsers", "<tds:Username>guest</tds:Username><tds:Username>guard</tds:Username>")
    assert levels(client) == {"admin": "Administrator"}


@pytest.mark.parametrize(
    ("operation", "arguments", "codes"),
    [
        ("CreateUsers", user("admin", "User"), ["ter:OperationProhibited", "ter:UsernameClash"]),
        ("CreateUsers", user("guest", "User", "short"), ["ter:OperationProhibited", "ter:PasswordTooWeak"]),
        ("CreateUsers", user("guest", "User", "long " * 20), ["ter:OperationProhibited", "ter:PasswordTooLong"]),
        ("CreateUsers", user("g" * 33, "User"), ["ter:OperationProhibited", "ter:UsernameTooLong"]),
        ("CreateUsers", user("", "User"), ["ter:OperationProhibited", "ter:UsernameTooShort"]),
        ("CreateUsers", user("guest", "Anonymous"), ["ter:OperationProhibited", "ter:AnonymousNotAllowed"]),
        ("CreateUsers", user("guest", "King"), ["ter:InvalidArgVal", "ter:InvalidArgVal"]),
        ("CreateUsers", "".join(user(f"guest-{each}", "User") for each in range(10)), ["ter:OperationProhibited", "ter:TooManyUsers"]),
        ("SetUser", user("nobody", "User"), ["ter:InvalidArgVal", "ter:UsernameMissing"]),
        ("SetUser", user("admin", "User"), ["ter:InvalidArgVal", "ter:FixedUser"]),
        ("DeleteUsers", "<tds:Username>nobody</tds:Username>", ["ter:InvalidArgVal", "ter:UsernameMissing"]),
        ("DeleteUsers", "<tds:Username>admin</tds:Username>", ["ter:InvalidArgVal", "ter:FixedUser"]),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 12 else value[-1] if isinstance(value, list) else "",
)
def test_what_cannot_be_is_a_fault_and_changes_nothing(client: Asking, operation: str, arguments: str, codes: list[str]) -> None:
    assert client.fault(f"tds:{operation}", arguments)[1][1:] == codes
    assert levels(client) == {"admin": "Administrator"}


@pytest.mark.parametrize(
    ("level", "allowed"),
    [
        ("Administrator", {"GetDeviceInformation", "GetUsers", "SetHostname", "Stop", "SetSynchronizationPoint"}),
        ("Operator", {"GetDeviceInformation", "Stop", "SetSynchronizationPoint"}),
        ("User", {"GetDeviceInformation", "SetSynchronizationPoint"}),
    ],
)
def test_a_user_may_do_what_the_level_says(client: Asking, level: str, allowed: set[str]) -> None:
    client.ask("tds:CreateUsers", user("other", level))
    asked = {
        "tds:GetDeviceInformation": "",
        "tds:GetUsers": "",
        "tds:SetHostname": "<tds:Name>other</tds:Name>",
        "tptz:Stop": _PROFILE,
        "trt:SetSynchronizationPoint": "<trt:ProfileToken>main</trt:ProfileToken>",
    }
    camera = client.camera
    with DeviceWeb(DeviceAddress.of(camera.base), LOOPBACK, SystemClock(), username="other", password=_PASSWORD) as web:
        other = Asking(camera, web)
        status = {name.partition(":")[2]: other.post(name, arguments).status for name, arguments in asked.items()}
        assert {name for name, code in status.items() if code == 200} == allowed
        if level != "Administrator":
            assert other.fault("tds:GetUsers") == (400, ["env:Sender", "ter:NotAuthorized"])
            other.ask("tev:CreatePullPointSubscription")
