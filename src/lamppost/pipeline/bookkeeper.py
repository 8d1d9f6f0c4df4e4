"""The bookkeeper process: alone writes the index, from what the journals say, and forgets what is due.

Journals come first: they are applied between any two passes of retention, and a
pass is short.
"""

from __future__ import annotations

import os
import threading
from typing import Final

from pydantic import ValidationError

from lamppost.base.errors import StoreError
from lamppost.base.logging import get_logger
from lamppost.model.settings import Settings
from lamppost.pipeline.child import STATUS_INTERVAL_S, ChildContext, run_child, when_free
from lamppost.pipeline.control import Message
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.outbox import Router, Wish
from lamppost.store.retaining import Retention
from lamppost.store.retention import RetentionLimits

POLL_S: Final = 0.2
PASS_INTERVAL_S: Final = 5.0
FORGET_INTERVAL_S: Final = 3600.0
REPEAT_S: Final = 0.2  # where a pass has left something that is due


class SettingsDesk:
    """Takes new settings from the supervisor and keeps them until they are asked for."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._new: Settings | None = None

    def take_message(self, message: Message) -> None:
        """A supervisor's order: `{"order": "settings", "settings": {...}}`; settings that cannot be read change nothing."""
        for descriptor in message.descriptors:
            os.close(descriptor)
        if message.body.get("order") != "settings":
            return
        try:
            settings = Settings.model_validate(message.body.get("settings"))
        except ValidationError as error:
            # Not the error's text: it quotes values, and one may be a password.
            get_logger("store").error("new settings cannot be read and change nothing", mistakes=error.error_count())
            return
        with self._mutex:
            self._new = settings

    def collect(self) -> Settings | None:
        """The newest settings since the last call, if any came."""
        with self._mutex:
            settings, self._new = self._new, None
        return settings


class Keeping:
    """Applies journals and forgets in turn; a failing disk or a locked index is told once and tried again."""

    def __init__(self, context: ChildContext, bookkeeper: Bookkeeper, retention: Retention, desk: SettingsDesk) -> None:
        self._context = context
        self._bookkeeper = bookkeeper
        self._retention = retention
        self._desk = desk
        self._told = ""
        self._pass_at_s = 0.0
        self._report_at_s = 0.0
        self._forget_at_s = 0.0

    def run(self) -> None:
        """Go on until told to stop; then apply what is left."""
        while not self._context.stop.is_set():
            self.turn()
            self._context.clock.wait(self._context.stop, POLL_S)
        self._bookkeeper.apply_new()

    def turn(self) -> None:
        """One look at everything."""
        clock = self._context.clock
        self._write()
        if (settings := self._desk.collect()) is not None:
            self._retention.limits = RetentionLimits.of(settings)
            self._bookkeeper.router = router_of(settings)
        if clock.monotonic_s() >= self._pass_at_s:
            is_behind = self._retention.run_pass()
            self._pass_at_s = clock.monotonic_s() + (REPEAT_S if is_behind else PASS_INTERVAL_S)
        if clock.monotonic_s() >= self._report_at_s:
            self._report_at_s = clock.monotonic_s() + STATUS_INTERVAL_S
            self._context.channel.send({"retention": self._retention.status.to_json(), "index_problem": self._told})

    def _write(self) -> None:
        try:
            self._bookkeeper.apply_new()
            if self._context.clock.monotonic_s() >= self._forget_at_s:
                self._bookkeeper.forget_notices()
                self._forget_at_s = self._context.clock.monotonic_s() + FORGET_INTERVAL_S
            self._told = ""
        except StoreError as error:
            if str(error) != self._told:
                get_logger("store").error("the index cannot be written", problem=str(error))
            self._told = str(error)


def router_of(settings: Settings) -> Router:
    """Who makes the deliveries that these settings want."""
    return Router([Wish.of(carrier) for carrier in settings.notify])


def work(context: ChildContext, desk: SettingsDesk) -> None:
    """Keep the books until told to stop."""
    with when_free(context, lambda: Bookkeeper(context.folder, context.clock, router=router_of(context.settings))) as bookkeeper:
        retention = Retention(context.folder, bookkeeper, context.clock, RetentionLimits.of(context.settings))
        Keeping(context, bookkeeper, retention, desk).run()


if __name__ == "__main__":
    settings_desk = SettingsDesk()
    run_child(lambda context: work(context, settings_desk), settings_desk.take_message)
