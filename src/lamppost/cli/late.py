"""Commands that are imported when they run: `lamppost mask` need not wait for the database of `lamppost serve`.

Names are known at once; help texts, options and completions are read from the
command itself, and so its module is imported for them as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup

Places = Mapping[str, tuple[str, str]]
"""By a command's name: the module that it is in, and the function there."""


def late_group(places: Places) -> type[TyperGroup]:
    """A group of commands, in this order, for `typer.Typer(cls=...)`; what is registered with Typer comes after them."""

    class Group(_LateGroup):
        late_places: ClassVar[Places] = places

    return Group


class _LateGroup(TyperGroup):
    late_places: ClassVar[Places] = {}

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _LateCommands(self.late_places, self.commands)

    def list_commands(self, ctx: Any) -> list[str]:
        """Names alone, so that none is imported for it."""
        return list(self.commands)


class _LateCommands(MutableMapping[str, Any]):
    """Commands by name, the first ones imported as they are looked up, each once."""

    def __init__(self, places: Places, rest: Mapping[str, Any]) -> None:
        self._places = dict(places)
        self._names = dict.fromkeys([*places, *rest])
        self._made = dict(rest)

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _made_of(name, *self._places[name])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __setitem__(self, name: str, command: Any) -> None:
        self._names[name], self._made[name] = None, command

    def __delitem__(self, name: str) -> None:
        del self._names[name]
        self._places.pop(name, None)
        self._made.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _made_of(name: str, module: str, function: str) -> Any:
    alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
    alone.command(name)(getattr(import_module(module), function))
    return typer.main.get_command(alone)
