"""The simulated camera in its network, as the ONVIF device service shows it: names, addresses, ports, time server, scopes."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from lamppost.cameras.simulated.machine import Call, Operation
from lamppost.cameras.simulated.markup import Markup, join, tag
from lamppost.cameras.simulated.soap import SoapRefusal, invalid, is_true, required
from lamppost.cameras.simulated.tokens import INTERFACE

_HOSTNAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?")
_MOST_SERVERS: Final = 4
_MOST_SCOPES: Final = 16
_MOST_SCOPE: Final = 128


def _hostname(call: Call) -> Markup:
    return tag("tds:HostnameInformation", tag("tt:FromDHCP", False), tag("tt:Name", call.state.hostname))


def _set_hostname(call: Call) -> Markup:
    name = required(call.body, "Name")
    if not _HOSTNAME.fullmatch(name):
        raise invalid("ter:InvalidHostname", "that is no name of a host")
    call.state.hostname = name
    return Markup()


def _interfaces(call: Call) -> Markup:
    host = call.base.partition("://")[2].rpartition(":")[0] or call.base.partition("://")[2]
    try:
        address = str(ipaddress.IPv4Address(host))
    except ValueError:
        address = "192.0.2.64"  # asked by a name or over IPv6: some address has to stand here
    known = tag("tt:Info", tag("tt:Name", INTERFACE), tag("tt:HwAddress", call.machine.identity.mac), tag("tt:MTU", 1500))
    manual = tag("tt:Manual", tag("tt:Address", address), tag("tt:PrefixLength", 24))
    ipv4 = tag("tt:IPv4", tag("tt:Enabled", True), tag("tt:Config", manual, tag("tt:DHCP", False)))
    return tag("tds:NetworkInterfaces", tag("tt:Enabled", True), known, ipv4, token=INTERFACE)


def _protocols(call: Call) -> Markup:
    ports = {"HTTP": call.base.rpartition(":")[2] if call.base.count(":") > 1 else "80", "RTSP": str(call.machine.rtsp_port)}
    return join(
        *(tag("tds:NetworkProtocols", tag("tt:Name", name), tag("tt:Enabled", True), tag("tt:Port", port)) for name, port in ports.items())
    )


def _dns(call: Call) -> Markup:
    servers = (tag("tt:DNSManual", _address(server)) for server in call.state.dns)
    return tag("tds:DNSInformation", tag("tt:FromDHCP", False), *servers)


def _set_dns(call: Call) -> Markup:
    if is_true(required(call.body, "FromDHCP")):
        raise invalid("ter:InvalidArgVal", "there is no DHCP here")
    servers = [node.value("IPv4Address") or node.value("IPv6Address") for node in call.body.each("DNSManual")]
    call.state.dns = [_checked(server, "ter:InvalidIPv4Address") for server in servers[:_MOST_SERVERS]]
    return Markup()


def _gateway(call: Call) -> Markup:
    return tag("tds:NetworkGateway", tag("tt:IPv4Address", call.state.gateway) if call.state.gateway else None)


def _set_gateway(call: Call) -> Markup:
    call.state.gateway = _checked(call.body.value("IPv4Address"), "ter:InvalidGatewayAddress")
    return Markup()


def _checked(address: str, subcode: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError as error:
        raise invalid(subcode, "that is no address") from error


def _address(host: str) -> Markup:
    version = ipaddress.ip_address(host).version
    return join(tag("tt:Type", f"IPv{version}"), tag(f"tt:IPv{version}Address", host))


def _ntp(call: Call) -> Markup:
    state = call.state
    host = _network_host(state.ntp) if state.ntp else None
    name = "NTPFromDHCP" if state.is_ntp_from_dhcp else "NTPManual"
    return tag("tds:NTPInformation", tag("tt:FromDHCP", state.is_ntp_from_dhcp), tag(f"tt:{name}", host) if host else None)


def _network_host(host: str) -> Markup:
    try:
        return _address(host)
    except ValueError:
        return join(tag("tt:Type", "DNS"), tag("tt:DNSname", host))


def _set_ntp(call: Call) -> Markup:
    state = call.state
    state.is_ntp_from_dhcp = is_true(required(call.body, "FromDHCP"))
    manual = call.body.first("NTPManual")
    if manual is not None:
        named = [manual.value(name) for name in ("DNSname", "IPv4Address", "IPv6Address")]
        host = next((name for name in named if name), "")
        if not host or len(host) > 253:
            raise invalid("ter:InvalidIPv4Address", "that is no address")
        state.ntp = host
    elif not state.is_ntp_from_dhcp:
        state.ntp = ""
    return Markup()


def _scopes(call: Call) -> Markup:
    own = call.machine.fixed_scopes()
    shown = (*(("Fixed", scope) for scope in own), *(("Configurable", scope) for scope in call.state.scopes))
    return join(*(tag("tds:Scopes", tag("tt:ScopeDef", kind), tag("tt:ScopeItem", scope)) for kind, scope in shown))


def _given_scopes(call: Call, name: str) -> list[str]:
    scopes = [node.text.strip() for node in call.body.own(name)]
    if any(not scope or len(scope) > _MOST_SCOPE or len(scope.split()) > 1 for scope in scopes):
        raise invalid("ter:InvalidArgVal", "a scope is a URI")
    return scopes


def _put_scopes(call: Call, scopes: list[str]) -> None:
    if len(scopes) > _MOST_SCOPES:
        raise SoapRefusal("Receiver", ("ter:Action", "ter:TooManyScopes"), "there are too many scopes")
    call.state.scopes = list(dict.fromkeys(scopes))
    call.machine.metadata_version += 1


def _set_scopes(call: Call) -> Markup:
    scopes = _given_scopes(call, "Scopes")
    if not set(scopes).isdisjoint(call.machine.fixed_scopes()):
        raise SoapRefusal("Sender", ("ter:OperationProhibited", "ter:ScopeOverwrite"), "a fixed scope is not set")
    _put_scopes(call, scopes)
    return Markup()


def _add_scopes(call: Call) -> Markup:
    _put_scopes(call, [*call.state.scopes, *_given_scopes(call, "ScopeItem")])
    return Markup()


def _remove_scopes(call: Call) -> Markup:
    gone = _given_scopes(call, "ScopeItem")
    if not set(gone).isdisjoint(call.machine.fixed_scopes()):
        raise SoapRefusal("Sender", ("ter:OperationProhibited", "ter:FixedScope"), "a fixed scope stays")
    if not set(gone) <= set(call.state.scopes):
        raise invalid("ter:NoScope", "there is no such scope")
    _put_scopes(call, [scope for scope in call.state.scopes if scope not in gone])
    return join(*(tag("tds:ScopeItem", scope) for scope in gone))


def _discovery_mode(call: Call) -> Markup:
    return tag("tds:DiscoveryMode", "Discoverable" if call.state.is_discoverable else "NonDiscoverable")


def _set_discovery_mode(call: Call) -> Markup:
    mode = required(call.body, "DiscoveryMode")
    if mode not in ("Discoverable", "NonDiscoverable"):
        raise invalid("ter:InvalidArgVal", "a device is Discoverable or NonDiscoverable")
    call.state.is_discoverable = mode == "Discoverable"
    return Markup()


OPERATIONS: Final[dict[str, Operation]] = {
    "GetHostname": _hostname,
    "SetHostname": _set_hostname,
    "GetNetworkInterfaces": _interfaces,
    "GetNetworkProtocols": _protocols,
    "GetDNS": _dns,
    "SetDNS": _set_dns,
    "GetNetworkDefaultGateway": _gateway,
    "SetNetworkDefaultGateway": _set_gateway,
    "GetNTP": _ntp,
    "SetNTP": _set_ntp,
    "GetScopes": _scopes,
    "SetScopes": _set_scopes,
    "AddScopes": _add_scopes,
    "RemoveScopes": _remove_scopes,
    "GetDiscoveryMode": _discovery_mode,
    "SetDiscoveryMode": _set_discovery_mode,
}
