"""Says where no camera can be, to whoever adds or moves one: by command, through the API or from a table, the answer is the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lamppost.base.errors import ConfigError
from lamppost.base.names import is_host, is_number
from lamppost.ingest.locator import Scheme, parse_locator
from lamppost.model.device_url import split_device_url
from lamppost.model.networks import CameraNetworks
from lamppost.pipeline.new_address import ADDRESSES

REMEDY: Final = "name its network in [devices] networks, or correct the address"


def misplaced(settings: Mapping[str, Any], networks: CameraNetworks) -> dict[str, str]:
    """Why nothing will connect to the addresses in `settings` of a camera, by their keys; what is no address at all is for others to say.

    Addresses that are numbers must be in the networks of the cameras; names are judged when they are looked up.
    """
    given = ((key, settings.get(key)) for key in ADDRESSES)
    return {key: why_not for key, url in given if isinstance(url, str) and (why_not := _why_not(key, url, networks))}


def check_places(settings: Mapping[str, Any], networks: CameraNetworks) -> None:
    """Raises `ConfigError` for the first of them."""
    for problem in misplaced(settings, networks).values():
        raise ConfigError(problem, remedy=REMEDY)


def _why_not(key: str, url: str, networks: CameraNetworks) -> str:
    try:
        host = split_device_url(url)[1] if key == "device_url" else _host_of_stream(url)
    except ConfigError:
        return ""
    if host and not is_host(host):
        return f"{host[:60]} is no address and no name in ASCII"
    why_not = networks.why_not(host) if is_number(host) else ""
    return f"{host}: {why_not}" if why_not else ""


def _host_of_stream(url: str) -> str:
    """Empty where nothing is connected to."""
    locator = parse_locator(url)
    return locator.host if locator.scheme in (Scheme.RTSP, Scheme.RTSPS) else ""
