"""Who gets in at a simulated camera: what the specification opens to everybody is open, all else wants a password."""

from __future__ import annotations

import base64
import hashlib

import httpx
import pytest

from asked_camera import SOAP, asking, envelope
from lamppost.base.clock import ManualClock, SystemClock, format_utc
from lamppost.base.digest import parse_challenges
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.simulated.nodes import read
from lamppost.cameras.simulated.vendors import VENDORS

_OPEN = (
    "GetSystemDateAndTime",
    "GetCapabilities",
    "GetServices",
    "GetServiceCapabilities",
    "GetHostname",
    "GetEndpointReference",
    "GetWsdlUrl",
)
_SHUT = ("GetDeviceInformation", "GetUsers", "GetNetworkInterfaces", "GetScopes", "GetNTP", "SystemReboot", "SetUser", "SetNTP", "Nonsense")


def token(username: str, password: str, at_us: int, nonce: bytes) -> str:
    created = format_utc(at_us)
    digest = base64.b64encode(hashlib.sha1(nonce + created.encode() + password.encode(), usedforsecurity=False).digest()).decode()
    return (
        '<w:Security xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"><w:UsernameToken>'
        f"<w:Username>{username}</w:Username><w:Password>{digest}</w:Password><w:Nonce>{base64.b64encode(nonce).decode()}</w:Nonce>"
        f'<u:Created xmlns:u="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd">{created}</u:Created>'
        "</w:UsernameToken></w:Security>"
    )


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_is_open_and_what_is_shut(vendor: str) -> None:
    with SimulatedCamera(vendor) as camera, asking(camera, password="wrong") as client:
        for name in _OPEN:
            assert client.post(f"tds:{name}").status == 200, name
        assert client.post("tev:GetServiceCapabilities").status == 200
        for name in _SHUT:
            reply = client.post(f"tds:{name}")
            assert reply.status == 401, name
            assert parse_challenges([reply.headers["www-authenticate"]])
        assert client.post("tev:GetEventProperties").status == 401
        for path in ("/ISAPI/System/deviceInfo", "/cgi-bin/magicBox.cgi?action=getSystemInfo", "/axis-cgi/applications/list.cgi", "/"):
            assert client.web.get(path).status == 401, path
        assert {asked.user for asked in camera.requests} == {""}


@pytest.mark.parametrize("algorithms", [("MD5",), ("SHA-256",), ("SHA-256", "MD5")])
def test_digest(algorithms: tuple[str, ...]) -> None:
    with SimulatedCamera("onvif", algorithms=algorithms) as camera, asking(camera) as client:
        assert client.ask("tds:GetDeviceInformation").value("SerialNumber") == camera.identity.serial
        assert [asked.status for asked in camera.requests] == [401, 200]
        client.ask("tds:GetUsers")
        assert [asked.status for asked in camera.requests] == [401, 200, 200]  # the nonce still holds
        assert camera.requests[-1].user == camera.username


@pytest.mark.parametrize(("algorithm", "qop", "status"), [("MD5", "", 200), ("SHA-256", "", 401), ("MD5", 'qop="auth-int", ', 401)])
def test_a_digest_without_qop_is_the_old_one_and_has_md5_alone(algorithm: str, qop: str, status: int) -> None:
    with SimulatedCamera("onvif") as camera:
        place, target = f"{camera.base}{camera.path_of('tds')}", camera.path_of("tds")
        closed = httpx.post(place, content=envelope("<tds:GetUsers/>"), headers=SOAP)
        challenge = parse_challenges(closed.headers.get_list("www-authenticate"))[0]

        def digest(text: str) -> str:
            return hashlib.new(algorithm.replace("-", ""), text.encode(), usedforsecurity=False).hexdigest()

        secret = digest(f"{camera.username}:{challenge.realm}:{camera.password}")
        answer = digest(f"{secret}:{challenge.nonce}:{digest(f'POST:{target}')}")
        known = f'username="{camera.username}", realm="{challenge.realm}", nonce="{challenge.nonce}", uri="{target}"'
        signed = {**SOAP, "Authorization": f'Digest {known}, {qop}algorithm={algorithm}, response="{answer}"'}
        assert httpx.post(place, content=envelope("<tds:GetUsers/>"), headers=signed).status_code == status


def test_a_nonce_grows_old_and_the_password_is_not_doubted() -> None:
    clock = ManualClock()
    with SimulatedCamera("dahua", clock=clock, nonce_life_s=30) as camera, asking(camera) as client:
        client.ask("tds:GetUsers")
        clock.advance(31)
        client.ask("tds:GetUsers")
        assert [asked.status for asked in camera.requests] == [401, 200, 401, 200]


def test_a_stale_nonce_says_so() -> None:
    clock = ManualClock()
    with SimulatedCamera("dahua", clock=clock, nonce_life_s=30) as camera, asking(camera) as client:
        client.ask("tds:GetUsers")
        clock.advance(31)
        answer = client.web._sign_in.answer("POST", camera.path_of("tds"))
        assert answer
        reply = httpx.post(
            f"{camera.base}{camera.path_of('tds')}", content=envelope("<tds:GetUsers/>"), headers={**SOAP, "Authorization": answer}
        )
        challenges = parse_challenges([reply.headers["www-authenticate"]])
        assert reply.status_code == 401
        assert challenges[0].is_stale


def test_a_username_token() -> None:
    with SimulatedCamera("dahua") as camera, asking(camera, password="") as client:
        now_us = SystemClock().wall_us()

        def status(username: str, password: str, at_us: int, nonce: bytes) -> int:
            return client.post("tds:GetUsers", header=token(username, password, at_us, nonce)).status

        assert status(camera.username, camera.password, now_us, b"first") == 200
        assert status(camera.username, camera.password, now_us, b"first") == 400, "the same token twice"
        assert status(camera.username, "wrong", now_us, b"second") == 400
        assert status("nobody", camera.password, now_us, b"third") == 400
        assert status(camera.username, camera.password, now_us - 400_000_000, b"fourth") == 400, "too old"
        camera.state.clock_offset_s = -3600
        assert status(camera.username, camera.password, now_us, b"fifth") == 400, "by the camera's clock it is of tomorrow"
        assert status(camera.username, camera.password, now_us - 3_600_000_000, b"sixth") == 200
        reply = client.post("tds:GetUsers", header=token(camera.username, "wrong", now_us, b"seventh"))
        assert [node.text for node in read(reply.content).each("Value")] == ["env:Sender", "ter:NotAuthorized"]


def test_a_password_is_changed_and_only_the_new_one_gets_in() -> None:
    with SimulatedCamera("hikvision") as camera:
        named = f"<tt:Username>{camera.username}</tt:Username><tt:Password>{{}}</tt:Password>"
        user = f"<tds:User>{named}<tt:UserLevel>Administrator</tt:UserLevel></tds:User>"
        with asking(camera) as client:
            assert client.fault("tds:SetUser", user.format("short"))[1][-1] == "ter:PasswordTooWeak"
            client.ask("tds:SetUser", user.format("correct horse"))
        with asking(camera) as client:
            assert client.post("tds:GetUsers").status == 401
        with asking(camera, password="correct horse") as client:
            client.ask("tds:GetUsers")
            assert client.web.get("/ISAPI/System/deviceInfo").status == 200
