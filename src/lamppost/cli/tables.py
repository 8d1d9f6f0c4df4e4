"""Where tables are printed: as wide as the terminal, and as wide as they need where nobody reads them on one."""

from __future__ import annotations

import sys
from typing import Final

from rich.console import Console

_UNREAD_WIDTH: Final = 240  # of a file or a pipe: there a cell that is cut says less than a long line


def table_console() -> Console:
    """The console of standard output, for tables."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _UNREAD_WIDTH)
