"""Passwords with which devices leave their factories: compared with the configured one to warn somebody, and tried on no device."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

# From the makers' own manuals of devices that did not yet ask for a password at first use.
_OF_VENDORS: Final = MappingProxyType(
    {
        "axis": (("root", "pass"), ("root", "root")),
        "dahua": (("admin", "admin"), ("888888", "888888"), ("666666", "666666")),
        "hanwha": (("admin", "4321"), ("admin", "1111111")),
        "hikvision": (("admin", "12345"),),
        "samsung": (("admin", "4321"), ("admin", "1111111")),
        "sony": (("admin", "admin"),),
        "bosch": (("service", "service"), ("live", "live"), ("user", "user")),
        "panasonic": (("admin", "12345"), ("admin1", "password")),
        "vivotek": (("root", ""),),
        "uniview": (("admin", "123456"),),
        "tp-link": (("admin", "admin"),),
        "reolink": (("admin", ""),),
        "pelco": (("admin", "admin"),),
    }
)
_COMMON: Final = frozenset(
    {"", "admin", "root", "pass", "password", "user", "default", "camera", "888888", "666666", "4321", "1111", "0000"}
)
_COUNTING: Final = "123456789"


def is_factory_password(vendor: str, username: str, password: str) -> bool:
    """Whether somebody who knows the maker would try this first; `vendor` as the device calls itself, empty where it does not."""
    if not username:
        return False  # nobody signs in
    said = vendor.casefold()
    known = any(name in said and (username, password) in pairs for name, pairs in _OF_VENDORS.items())
    lowered = password.casefold()
    return known or lowered in _COMMON or lowered == username.casefold() or (len(password) >= 4 and _COUNTING.startswith(password))
