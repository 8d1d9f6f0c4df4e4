"""The words of WS-Discovery (OASIS 2005/04, as ONVIF Core section 7 uses it): a call to all, and what is read of an answer.

Whoever answers is believed for where its answer came from, and for no other
address: of those that it names, scheme and port are taken.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote, urlsplit

from lamppost.base.errors import UnreadableReply
from lamppost.cameras.onvif import xml
from lamppost.cameras.onvif.device import path_of, plain_mac
from lamppost.model.devices import DeviceIdentity, FoundDevice

PORT: Final = 3702
GROUP: Final = "239.255.255.250"
MOST_ANSWERED: Final = 4  # devices in one answer; most have one
_MOST_SCOPES: Final = 64
_PORTS: Final = {"http": 80, "https": 443}
_ONVIF: Final = "onvif://www.onvif.org/"
_PROBE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" {namespace}><s:Header>'
    "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action><a:MessageID>urn:uuid:{message}</a:MessageID>"
    "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>"
    "<s:Body><d:Probe><d:Types>{types}</d:Types></d:Probe></s:Body></s:Envelope>"
)
_DEVICE: Final = "http://www.onvif.org/ver10/device/wsdl"
_ASKED_FOR: Final = (
    ('xmlns:dn="http://www.onvif.org/ver10/network/wsdl"', "dn:NetworkVideoTransmitter"),
    (f'xmlns:tds="{_DEVICE}"', "tds:Device"),
)
# Which maker the first half of a MAC address belongs to, for the few whose endpoints are known to end in it.
_MAKERS: Final = {
    "Hikvision": ("44:19:b6", "c0:56:e3", "bc:ad:28", "28:57:be", "4c:bd:8f", "a4:14:37", "18:68:cb", "c4:2f:90", "64:db:8b", "98:df:82"),
    "Dahua": ("3c:ef:8c", "90:02:a9", "e0:50:8b", "4c:11:bf", "9c:14:63", "08:ed:ed", "14:a7:8b", "fc:5f:49", "a0:bd:1d"),
    "AXIS": ("00:40:8c", "ac:cc:8e", "b8:a4:4f", "e8:27:25"),
}
_NAMED: Final = re.compile(
    r"(?<![a-z])(?:hikvision|dahua|axis|huawei|uniview|hanwha|bosch|vivotek|mobotix|reolink|tp-link)(?![a-z])", re.IGNORECASE
)


def probes(message_ids: tuple[str, str]) -> tuple[bytes, ...]:
    """Two calls: for devices that send video, and for ONVIF devices of any kind."""
    return tuple(
        _PROBE.format(namespace=namespace, types=types, message=message).encode()
        for (namespace, types), message in zip(_ASKED_FOR, message_ids, strict=True)
    )


def read_answer(content: bytes, sender: str) -> tuple[FoundDevice, ...]:
    """The devices in an answer that came from `sender`, an address; raises `UnreadableReply`."""
    root = xml.parse(content)
    found: list[FoundDevice] = []
    for match in xml.named(root, "ProbeMatch"):
        if len(found) == MOST_ANSWERED:
            break
        scopes, places = _scopes(match), _words(match, "XAddrs")
        if not (_is_typed(match) or any(map(is_onvif, scopes)) or any(path_of(place).startswith("/onvif/") for place in places)):
            continue  # a printer
        endpoint = xml.text_of(next(xml.named(match, "Address"), None), 128)
        found.append(FoundDevice(sender, device_url_of(places, sender), identity_of(scopes, endpoint), scopes, endpoint))
    if not found and next(xml.named(root, "ProbeMatches"), None) is None:
        raise UnreadableReply("it answers with something else than was asked")
    return tuple(found)


def _is_typed(match: xml.Element) -> bool:
    """Whether it calls itself what we have called for; printers are a `Device` too, of another namespace."""
    declared = {prefix: uri for types in xml.named(match, "Types") for prefix, uri in types.nsmap.items()}
    for word in _words(match, "Types"):
        prefix, _, name = word.rpartition(":")
        if name == "NetworkVideoTransmitter" or (name == "Device" and declared.get(prefix or None) == _DEVICE):
            return True
    return False


def _scopes(match: xml.Element) -> tuple[str, ...]:
    """Its scopes. One with a blank in it, which should be written `%20`, comes in pieces: those that follow are no addresses."""
    scopes: list[str] = []
    for word in _words(match, "Scopes"):
        if scopes and ":" not in word:
            scopes[-1] += f"%20{word}"
        else:
            scopes.append(word)
    return tuple(scopes[:_MOST_SCOPES])


def device_url_of(addresses: list[str], sender: str) -> str:
    """Where the device is asked: at the sender's number, whatever it calls itself.

    Scheme and port are those of its own address with that number, else of the first that it names, else port 80.
    """
    place = f"[{sender}]" if ":" in sender else sender
    found = ""
    for address in addresses:
        try:
            parts = urlsplit(address)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            continue
        if parts.scheme not in ("http", "https") or not host or port == 0 or not path_of(address):
            continue
        url = f"{parts.scheme}://{place}" + (f":{port}" if port and port != _PORTS[parts.scheme] else "")
        if _is_number(host, sender):
            return url
        found = found or url
    return found or f"http://{place}"


def _is_number(host: str, sender: str) -> bool:
    try:
        return ip_address(host) == ip_address(sender)
    except ValueError:
        return False


def is_onvif(scope: str) -> bool:
    """Whether a scope is one of ONVIF's."""
    return scope.lower().startswith(_ONVIF)


def identity_of(scopes: tuple[str, ...], endpoint: str) -> DeviceIdentity:
    """What a device says of itself in its scopes and its endpoint; nobody has asked it for more."""
    said: dict[str, str] = {}
    for scope in filter(is_onvif, scopes):
        key, _, value = scope[len(_ONVIF) :].partition("/")
        said.setdefault(key.lower(), _plain(unquote(value)))
    name, hardware = said.get("name", ""), said.get("hardware", "")
    mac = plain_mac(said.get("mac", "")) or _mac_in(endpoint)
    vendor = said.get("manufacturer", "") or said.get("mfr", "")
    if not vendor:
        named = _NAMED.search(f"{name} {hardware}")
        vendor = named[0] if named else _maker_of(mac)
    model = hardware or (name if vendor and name.lower() != vendor.lower() else "")
    return DeviceIdentity(vendor=vendor, model=_without_vendor(model, vendor), mac=mac)


def name_of(found: FoundDevice) -> str:
    """What somebody has called the device, by its scopes; empty where nobody has."""
    for scope in found.scopes:
        if is_onvif(scope) and scope[len(_ONVIF) :].lower().startswith("name/"):
            return _plain(unquote(scope[len(_ONVIF) + len("name/") :]))
    return ""


def _without_vendor(model: str, vendor: str) -> str:
    return model[len(vendor) :].strip(" -_") if vendor and model.lower().startswith(vendor.lower() + " ") else model


def _mac_in(endpoint: str) -> str:
    """Many makers end the identifier of an endpoint with the MAC address: believed where its first half is such a maker's."""
    mac = plain_mac(endpoint.rpartition("-")[2])
    return mac if _maker_of(mac) else ""


def _maker_of(mac: str) -> str:
    return next((maker for maker, beginnings in _MAKERS.items() if mac[:8] in beginnings), "")


def _words(match: xml.Element, name: str) -> list[str]:
    return xml.text_of(next(xml.named(match, name), None), 8192).split()


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:64]
