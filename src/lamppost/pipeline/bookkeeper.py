"""The bookkeeper process: alone writes the index, from what the journals say."""

from __future__ import annotations

from lamppost.pipeline.child import ChildContext, run_child, when_free
from lamppost.store.bookkeeping import Bookkeeper

POLL_S = 0.2


def work(context: ChildContext) -> None:
    """Apply journals until told to stop, and then what is left."""
    with when_free(context, lambda: Bookkeeper(context.folder, context.clock)) as bookkeeper:
        bookkeeper.run(context.stop, POLL_S)
        bookkeeper.apply_new()


if __name__ == "__main__":
    run_child(work)
