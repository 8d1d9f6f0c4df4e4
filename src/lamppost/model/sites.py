"""Names of sites, and the ids that grants and addresses use for them."""

from __future__ import annotations

import re
import unicodedata

from lamppost.model.settings import Settings


def site_id(name: str) -> str:
    """`old-town` for `Old Town`: lower case, letters and digits of ASCII, hyphens; `site` for a name without any."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "site"


def sites_of(settings: Settings) -> dict[str, str]:
    """The id of the site of each configured camera."""
    return {camera.name: site_id(camera.site or settings.site) for camera in settings.camera}
