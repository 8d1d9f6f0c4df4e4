"""How a simulated camera stands in its network: names, addresses and scopes are set, read back, and told to who looks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from asked_camera import Asking, asking
from lamppost.cameras.simulated.camera import SimulatedCamera

_SQUARE = "onvif://www.onvif.org/location/square"


@pytest.fixture
def client() -> Iterator[Asking]:
    with SimulatedCamera("axis") as camera, asking(camera) as client:
        yield client


def scopes(client: Asking) -> dict[str, str]:
    return {one.value("ScopeItem"): one.value("ScopeDef") for one in client.ask("tds:GetScopes").own("Scopes")}


def test_names_and_addresses_are_set_and_read_back(client: Asking) -> None:
    client.ask("tds:SetHostname", "<tds:Name>square-north</tds:Name>")
    assert client.ask("tds:GetHostname").value("Name") == "square-north"
    assert client.fault("tds:SetHostname", "<tds:Name>square north</tds:Name>")[1][-1] == "ter:InvalidHostname"
    server = "<tds:DNSManual><tt:Type>IPv4</tt:Type><tt:IPv4Address>{}</tt:IPv4Address></tds:DNSManual>"
    manual = "<tds:FromDHCP>false</tds:FromDHCP>"
    client.ask("tds:SetDNS", manual + server.format("192.0.2.7") + server.format("192.0.2.8"))
    assert [one.text for one in client.ask("tds:GetDNS").each("IPv4Address")] == ["192.0.2.7", "192.0.2.8"]
    assert client.fault("tds:SetDNS", manual + server.format("192.0.2.777"))[1][-1] == "ter:InvalidIPv4Address"
    client.ask("tds:SetNetworkDefaultGateway", "<tds:IPv4Address>192.0.2.9</tds:IPv4Address>")
    assert client.ask("tds:GetNetworkDefaultGateway").value("IPv4Address") == "192.0.2.9"
    assert client.fault("tds:SetNetworkDefaultGateway", "<tds:IPv4Address>x</tds:IPv4Address>")[1][-1] == "ter:InvalidGatewayAddress"


def test_scopes_are_set_beside_those_that_stay(client: Asking) -> None:
    own = scopes(client)
    assert set(own.values()) == {"Fixed"}
    fixed = next(iter(own))
    client.ask("tds:SetScopes", f"<tds:Scopes>{_SQUARE}</tds:Scopes>")
    assert scopes(client) == own | {_SQUARE: "Configurable"}
    assert _SQUARE in client.camera.scopes(), "who looks for the camera hears it"
    client.ask("tds:AddScopes", f"<tds:ScopeItem>{_SQUARE}/north</tds:ScopeItem>")
    client.ask("tds:RemoveScopes", f"<tds:ScopeItem>{_SQUARE}</tds:ScopeItem>")
    assert scopes(client) == own | {f"{_SQUARE}/north": "Configurable"}
    assert client.fault("tds:RemoveScopes", f"<tds:ScopeItem>{fixed}</tds:ScopeItem>")[1][-1] == "ter:FixedScope"
    assert client.fault("tds:RemoveScopes", f"<tds:ScopeItem>{_SQUARE}</tds:ScopeItem>")[1][-1] == "ter:NoScope"
    assert client.fault("tds:SetScopes", f"<tds:Scopes>{fixed}</tds:Scopes>")[1][-1] == "ter:ScopeOverwrite"
    assert client.fault("tds:SetScopes", "<tds:Scopes>two words</tds:Scopes>")[1][-1] == "ter:InvalidArgVal"
    many = "".join(f"<tds:ScopeItem>{_SQUARE}/{number}</tds:ScopeItem>" for number in range(20))
    assert client.fault("tds:AddScopes", many)[1][-1] == "ter:TooManyScopes"
