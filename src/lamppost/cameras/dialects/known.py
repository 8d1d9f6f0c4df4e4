"""The dialects that are spoken beside ONVIF. One more is one more line here."""

from __future__ import annotations

from typing import Final

from lamppost.cameras.dialects.axis import Axis
from lamppost.cameras.dialects.dahua import Dahua
from lamppost.cameras.dialects.dialect import Dialect
from lamppost.cameras.dialects.hikvision import Hikvision

DIALECTS: Final[tuple[Dialect, ...]] = (Hikvision(), Dahua(), Axis())
