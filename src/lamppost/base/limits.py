"""How many files one process may have open: each camera costs a few, and the usual 1024 is soon spent."""

from __future__ import annotations

import resource
from typing import Final

# Some systems set no hard limit; a table for a billion descriptors serves nobody.
MOST_DESCRIPTORS: Final = 1_048_576


def raise_descriptor_limit() -> int:
    """Raise this process's soft limit of open files to its hard one, for it and its children; returns the limit.

    No privilege is needed for it. A system that refuses leaves the limit as it was.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    goal = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= goal:
        return goal if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
    except (OSError, ValueError):
        return soft
    return goal
