"""Who gives an order, for the record."""

from __future__ import annotations

import os
import pwd
from typing import Final

BY_COMMAND: Final = "a command"
"""Who has a device in hand, as the others are told."""


def user_name() -> str:
    """The user of this machine who runs the command."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
