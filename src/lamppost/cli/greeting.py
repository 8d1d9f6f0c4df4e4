"""Tells where the console is, once it is there: its address, and the link by which the first user is set up."""

from __future__ import annotations

from rich.console import Console as Terminal

from lamppost.pipeline.supervisor import Console


class Greeting:
    """Prints each address and each link once. `sign_in` is the word of a link that signs somebody in."""

    def __init__(self, terminal: Terminal, *, sign_in: str | None = None) -> None:
        self._terminal = terminal
        self._sign_in = sign_in
        self._told: Console | None = None

    def show(self, console: Console | None) -> None:
        """Call it now and then."""
        if console is None or console == self._told:
            return
        is_new = self._told is None or self._told.address != console.address
        self._told = console
        if self._sign_in is not None:
            self._print(f"the console, signed in once: {console.address}/sign-in#token={self._sign_in}")
            self._sign_in = None
        elif console.setup is not None:
            self._print(f"the console waits for its first user; this link sets them up, once: {console.setup}")
        elif is_new:
            self._print(f"the console: {console.address}")

    def _print(self, line: str) -> None:
        self._terminal.print(line, soft_wrap=True, markup=False)
