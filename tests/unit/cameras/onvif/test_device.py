"""What a device says of itself, and that nothing it says of its addresses is believed."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.errors import CameraError, CameraRefused, UnreadableReply
from lamppost.cameras.onvif.descriptions import Service
from lamppost.cameras.onvif.device import path_of, plain_mac
from lamppost.cameras.onvif.faults import SoapFault
from lamppost.model.devices import DeviceIdentity
from onvif_devices import PASSWORD, Canned, device, envelope, fault, reply, simulated

VENDORS = ("onvif", "onvif-s", "dahua", "hikvision", "axis")
NAMESPACE = "http://www.onvif.org/ver10/media/wsdl"


def services(*addresses: str) -> bytes:
    each = (f"<tds:Service><tds:Namespace>{NAMESPACE}</tds:Namespace><tds:XAddr>{text}</tds:XAddr></tds:Service>" for text in addresses)
    return envelope(f"<tds:GetServicesResponse>{''.join(each)}</tds:GetServicesResponse>")


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_device_of_every_vendor_is_asked_and_set(vendor: str) -> None:
    with simulated(vendor) as (camera, web):
        asked = device(web)
        assert asked.identity() == camera.identity
        assert asked.services()[Service.EVENTS.namespace] == camera.path_of("tev")
        assert asked.has(Service.MEDIA2) == camera.has("tr2")
        camera.state.clock_offset_s = 90.0
        offset_s = asked.clock_offset_s()
        assert offset_s is not None
        assert abs(offset_s - 90.0) < 2.0
        for host in ("time.example.org", "192.0.2.9", "2001:db8::9"):
            asked.set_ntp(host)
            assert asked.ntp() == (host,)
        assert any("hardware" in scope for scope in asked.scopes())
        assert asked.relays() == ("RelayOutput_1",)
        asked.set_relay("RelayOutput_1", is_on=True)
        assert camera.state.relays["RelayOutput_1"]
        asked.set_relay("RelayOutput_1", is_on=False)
        assert not camera.state.relays["RelayOutput_1"]
        asked.set_password("admin", "cedar-77-oak")
        assert camera.state.users["admin"] == "cedar-77-oak"


def test_services_are_where_it_says_on_the_host_that_we_know() -> None:
    canned = Canned({"GetServices": services(" http://10.9.8.7:8080/onvif/Media?a=1&amp;b=2 \n"), "*": fault("No")})
    assert device(canned).services() == {NAMESPACE: "/onvif/Media?a=1&b=2"}


def test_the_first_of_two_places_counts() -> None:
    assert device(Canned({"GetServices": services("http://a/first", "http://a/second")})).services() == {NAMESPACE: "/first"}


@pytest.mark.parametrize(
    "new",
    [fault("ActionNotSupported", 500, "Receiver"), reply(b"<html/>", 404, "text/html"), services(), services("x", "", "http://a//b")],
)
def test_old_devices_are_asked_in_the_old_way(new: object) -> None:
    old = envelope(
        "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Events><tt:XAddr>http://10.0.0.5/onvif/ev</tt:XAddr></tt:Events>"
        "<tt:Media><tt:XAddr>http://10.0.0.5/onvif/med</tt:XAddr></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>"
    )
    found = device(Canned({"GetServices": new, "GetCapabilities": old})).services()  # type: ignore[dict-item]
    assert found == {Service.EVENTS.namespace: "/onvif/ev", NAMESPACE: "/onvif/med"}


def test_a_device_that_says_nothing_is_not_read() -> None:
    for said in ("", "<tds:Manufacturer> </tds:Manufacturer>", "<tds:Model>\u200b</tds:Model>"):
        canned = Canned({"GetDeviceInformation": envelope(f"<tds:GetDeviceInformationResponse>{said}</tds:GetDeviceInformationResponse>")})
        with pytest.raises(UnreadableReply):
            device(canned).identity()


def test_a_name_is_one_short_line() -> None:
    said = f"<tds:Manufacturer>Ac\n\u202eme{'e' * 5000}</tds:Manufacturer><tds:SerialNumber>7</tds:SerialNumber>"
    canned = Canned({"GetDeviceInformation": envelope(f"<tds:GetDeviceInformationResponse>{said}</tds:GetDeviceInformationResponse>")})
    assert device(canned).identity() == DeviceIdentity(vendor="Ac  me" + "e" * 122, serial="7")


def test_only_the_user_that_is_meant_gets_another_password() -> None:
    users = "<tds:User><tt:Username>root</tt:Username><tt:UserLevel>Operator</tt:UserLevel></tds:User>"
    canned = Canned(
        {"GetUsers": envelope(f"<tds:GetUsersResponse>{users}</tds:GetUsersResponse>"), "SetUser": envelope("<tds:SetUserResponse/>")}
    )
    with pytest.raises(CameraError):
        device(canned).set_password("admin", "new-one-22")
    assert canned.operations == ["GetUsers"]
    device(canned).set_password("root", "a<b>&c-22")
    assert b"a&lt;b&gt;&amp;c-22" in canned.asked[-1][2]
    assert b"Operator" in canned.asked[-1][2]


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    "kind", ["empty", "truncated", "cut", "reset", "html", "redirect=http://192.0.2.1/", "entities", "deep", "error", "unsupported"]
)
def test_a_device_that_answers_wrongly_is_an_error_of_one_camera(vendor: str, kind: str) -> None:
    with simulated(vendor, fault=kind) as (camera, web):
        asked = device(web)
        for question in (asked.identity, asked.profiles, asked.ntp, asked.relays):
            with pytest.raises(CameraError):
                question()
        camera.fault(None)
        assert asked.identity().serial == camera.identity.serial


def test_a_wrong_password_is_a_refusal() -> None:
    with simulated("axis", password="wrong") as (_, web), pytest.raises(CameraRefused) as refused:
        device(web, password="wrong").identity()
    assert "wrong" not in str(refused.value).replace("wrongly", "")


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("http://192.0.2.1:8000/onvif/x?y=1#z", "/onvif/x?y=1"),
        ("http://admin:secret@192.0.2.1/onvif/x", "/onvif/x"),
        ("/onvif/x", "/onvif/x"),
        ("http://192.0.2.1", "/"),
        ("  http://192.0.2.1/a b\n", "/ab"),
        ("onvif/x", ""),
        ("http://192.0.2.1//evil.example/x", ""),
        ("http://192.0.2.1/a\\b", ""),
        ("http://[::1/x", ""),
        ("http://192.0.2.1/\u00e4", ""),
        ("http://192.0.2.1/" + "a" * 5000, ""),
        ("", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_of_an_address_nothing_but_the_path_is_taken(address: object, path: str) -> None:
    assert path_of(address) == path


@given(st.text(max_size=60))
def test_a_path_stays_on_the_device_whatever_is_named(text: str) -> None:
    path = path_of(text)
    assert path == "" or (path[0] == "/" and path[:2] != "//" and path.isascii() and path.isprintable() and " " not in path)


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        (" 3C-EF-8C-00-00-01 ", "3c:ef:8c:00:00:01"),
        ("3cef8c000001", "3c:ef:8c:00:00:01"),
        ("00:00:00:00:00:00", ""),
        ("ff:ff:ff:ff:ff:ff", ""),
        ("3c:ef:8c:00:00", ""),
        ("x", ""),
    ],
)
def test_a_mac_is_written_one_way_or_is_none(text: str, mac: str) -> None:
    assert plain_mac(text) == mac


def test_nothing_of_it_is_imported_before_a_device_is_asked() -> None:
    script = (
        "import sys, lamppost.cli.main, lamppost.cameras.web, lamppost.model.devices\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('zeep', 'onvif', 'lxml') or 'cameras.onvif' in name])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.strip() == "[]"
    code = "import sys; from lamppost.cli.main import run; sys.argv = ['lamppost', '--help']; run()"
    shown = subprocess.run([sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "usage" in shown.stdout.lower()
    assert not [line for line in shown.stderr.splitlines() if line.rpartition("|")[2].strip().split(".")[0] in ("zeep", "onvif", "lxml")]


def test_what_a_user_may_not_ask_for_leaves_the_rest() -> None:
    with simulated("onvif") as (camera, web):
        camera.fault("unsupported@tds:GetNetworkInterfaces")
        found = device(web).identity()
        assert (found.serial, found.mac) == (camera.identity.serial, "")
        camera.fault("unsupported@tds:GetNTP")
        with pytest.raises(SoapFault) as refused:
            device(web).ntp()
        assert PASSWORD not in str(refused.value)
