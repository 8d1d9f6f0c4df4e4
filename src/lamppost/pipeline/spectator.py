"""Who sees what masking sees; in a file by itself, so that masking need not load what counting takes."""

from __future__ import annotations

from typing import Protocol

from lamppost.detect.values import SmallPicture
from lamppost.model.vision import Frame, Observation


class Spectator(Protocol):
    """Sees the frames of one run in order, before they are painted."""

    def see(self, frame: Frame, small: SmallPicture, observation: Observation | None) -> None:
        """`small` is `frame` made small; `observation` what moves in it, None where nobody watches that."""
        ...
