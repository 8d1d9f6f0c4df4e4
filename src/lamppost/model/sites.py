"""Names of sites, and the ids that grants and addresses use for them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the settings themselves check that no two sites are one scope
    from lamppost.model.settings import Settings

_ACCENTS_OF_ASCII = re.compile(r"([a-z0-9])[\u0300-\u036f]+")


def site_id(name: str) -> str:
    """`old-town` for `Old Town`, `центр` for `Центр`: letters and digits of every script, in lower case, with hyphens between words.

    Accents of Latin letters are left out, so that people can type it. `site` for a name without any letter or digit.
    """
    plain = unicodedata.normalize("NFC", _ACCENTS_OF_ASCII.sub(r"\1", unicodedata.normalize("NFKD", name).casefold()))
    # Marks belong to their letters: without its vowels a word of Hindi would be another one.
    kept = "".join(each if unicodedata.category(each)[0] in "LMN" else " " for each in plain)
    return "-".join(kept.split()) or "site"


def check_sites(names: Iterable[str]) -> None:
    """Raises `ValueError` where two different names have one id: who may see the one would see the other."""
    named: dict[str, str] = {}
    for name in names:
        other = named.setdefault(site_id(name), name)
        if other != name:
            one, two = (f"{each!r}" if each else "a site without a name" for each in (other, name))
            raise ValueError(f"{one} and {two} are both site:{site_id(name)} in grants, so that who may see one would see both; rename one")


def sites_of(settings: Settings) -> dict[str, str]:
    """The id of the site of each configured camera."""
    return {camera.name: site_id(camera.site or settings.site) for camera in settings.camera}
