"""Many cameras from one table: every mistake of it is told before anything is written, and all of it is written or nothing.

`plan_import` looks, and changes nothing. Of what it finds `put` makes the new configuration, which one replacement of the
file takes over: a crash before it leaves no camera, and one after it all of them. What comes after the replacement (where
cameras came from) is put in order by giving the same table again, which changes nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any, Final, Protocol

from lamppost.base.clock import Clock
from lamppost.base.errors import ConfigError
from lamppost.base.ids import timed_id
from lamppost.ingest.locator import parse_locator
from lamppost.model.books import Act
from lamppost.model.layout import DataFolder
from lamppost.model.mistakes import did_you_mean
from lamppost.model.settings import CameraSettings, Settings
from lamppost.model.sites import site_id
from lamppost.pipeline.camera_columns import COLUMNS
from lamppost.pipeline.camera_row import Cells, Found, OriginValue, RowReader, place_of
from lamppost.pipeline.camera_table import CameraTable, RowProblem
from lamppost.pipeline.config_file import ConfigFile, Fields
from lamppost.pipeline.credentials import has_password
from lamppost.pipeline.equipment import equip

Origin = Mapping[str, OriginValue]
"""Where a camera came from, and why it is there; without what is not known."""

_PLACEHOLDER: Final = "0" * 16


class Action(StrEnum):
    """What becomes of a row."""

    ADD = "add"
    CHANGE = "change"
    UNCHANGED = "unchanged"


class PasswordKeeper(Protocol):
    """Keeps passwords encrypted, and tells them to who connects."""

    def keep_all(self, passwords: Mapping[str, str]) -> Mapping[str, str]:
        """The numbers of the passwords, by camera; all are kept, or none."""
        ...

    def forget_all(self, credentials: Collection[str]) -> None:
        """Forget them; one that is not there is fine."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """How a table is taken. `environment` is where `password_env` is looked up; None: nowhere."""

    profile: Mapping[str, str] = field(default_factory=dict[str, str])
    may_update: bool = False
    allows_files: bool = False
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the configuration: a camera's password, and where cameras came from."""

    password_of: Callable[[CameraSettings], str | None]
    origins: Mapping[str, Origin]


@dataclass(frozen=True, slots=True)
class PlannedCamera:
    """A row, and what is to become of it; `url` has no user and no password."""

    line: int
    name: str
    url: str
    site: str
    action: Action
    keys: tuple[str, ...] = ()  # what it sets, without values


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What a table would do; nothing where there are `problems`. By a camera's name: settings, passwords, origins."""

    rows: int
    problems: tuple[RowProblem, ...]
    cameras: tuple[PlannedCamera, ...]
    added: Mapping[str, Fields]
    changed: Mapping[str, Fields]
    passwords: Mapping[str, str] = field(repr=False)
    origins: Mapping[str, Origin]
    replaced_credentials: tuple[str, ...]
    table_sha256: str

    def count(self, action: Action) -> int:
        return sum(camera.action is action for camera in self.cameras)

    @property
    def has_work(self) -> bool:
        return bool(self.added or self.changed or self.origins)

    def to_json(self) -> dict[str, Any]:
        """What is told of it: no password, and no address with one."""
        return {
            "rows": self.rows,
            "added": self.count(Action.ADD),
            "changed": self.count(Action.CHANGE),
            "unchanged": self.count(Action.UNCHANGED),
            "errors": [asdict(problem) for problem in self.problems],
            "cameras": [
                {"line": each.line, "name": each.name, "url": each.url, "site": each.site, "action": each.action.value}
                for each in self.cameras
            ],
        }

    def acts(self, actor: str, clock: Clock) -> tuple[Act, ...]:
        """One for each camera that is written, so that the acts of a camera tell of it."""
        now_us = clock.wall_us()
        return tuple(
            Act(timed_id(now_us), "camera_imported", now_us, actor, camera.name, json.dumps(self._detail(camera)))
            for camera in self.cameras
            if camera.action is not Action.UNCHANGED
        )

    def _detail(self, camera: PlannedCamera) -> dict[str, Any]:
        return {
            "action": camera.action.value,
            "keys": list(camera.keys),
            "url": camera.url,
            "line": camera.line,
            "table_sha256": self.table_sha256,
        }


def plan_import(content: bytes, table: CameraTable, file: ConfigFile, options: Options, known: Known) -> ImportPlan:
    """What the table would do to the configuration, with every mistake in it, by line. Nothing is changed."""
    planner = _Planner(table, file, options, known)
    return planner.plan(hashlib.sha256(content).hexdigest()[:16])


def put(plan: ImportPlan, file: ConfigFile, credentials: Mapping[str, str]) -> Settings:
    """Make the new configuration of a plan without problems; raises `ConfigError` for what `serve` would refuse."""
    kept: dict[str, Fields] = {
        name: {"credential": number, "password": None, "password_file": None} for name, number in credentials.items()
    }
    added = {name: {**fields, **_given(kept.get(name, {}))} for name, fields in plan.added.items()}
    names = dict.fromkeys((*plan.changed, *(name for name in kept if name not in plan.added)))
    file.put_all(added, {name: {**plan.changed.get(name, {}), **kept.get(name, {})} for name in names})
    return file.settings()


def rehearse(plan: ImportPlan, file: ConfigFile) -> ImportPlan:
    """The plan, with what `serve` would refuse of the whole among its problems. `file` is of no use after it."""
    if plan.problems or not plan.has_work:
        return plan
    try:
        put(plan, file, dict.fromkeys(plan.passwords, _PLACEHOLDER))
    except ConfigError as error:
        line = next((camera.line for camera in plan.cameras if f"camera {camera.name}:" in error.problem), 1)
        return replace(plan, problems=(*plan.problems, RowProblem(line, "", error.problem, error.remedy)))
    return plan


@contextmanager
def kept_passwords(plan: ImportPlan, keeper: PasswordKeeper) -> Generator[Mapping[str, str]]:
    """The numbers of the passwords of a plan, which are kept; they are forgotten again when the change fails."""
    if not plan.passwords:
        yield {}
        return
    credentials = keeper.keep_all(plan.passwords)
    try:
        yield credentials
    except BaseException:
        keeper.forget_all(tuple(credentials.values()))
        raise
    keeper.forget_all(plan.replaced_credentials)


class _Planner:
    """Reads a table row after row, and finds what does not go together."""

    def __init__(self, table: CameraTable, file: ConfigFile, options: Options, known: Known) -> None:
        self._table = table
        self._settings = file.before
        self._options = options
        self._known = known
        self._configured = {camera.name: camera for camera in file.before.camera}
        self._problems = list(table.problems)
        self._bad_presets: dict[str, ConfigError | None] = {}

    def plan(self, table_sha256: str) -> ImportPlan:
        self._check_columns()
        readers = self._read()
        self._find_doubles(readers)
        self._check_sites(readers)
        found = [reader.found for reader in readers if reader.found is not None]
        decided = [(row, *self._decide(row)) for row in found]
        cameras = tuple(self._told(row, action, keys) for row, action, keys in decided)
        work = [(row, action) for row, action, _ in decided if action is not Action.UNCHANGED]
        passwords = {row.name: row.password for row, _ in work if row.password is not None}
        before = [self._configured[row.name].credential for row, action in work if action is Action.CHANGE and row.name in passwords]
        order = {column: number for number, column in enumerate(self._table.columns)}
        return ImportPlan(
            rows=len(self._table.rows),
            problems=tuple(sorted(self._problems, key=lambda problem: (problem.line, order.get(problem.column, -1)))),
            cameras=cameras,
            added={row.name: _given(row.fields) for row, action in work if action is Action.ADD},
            changed={row.name: _given(row.fields) for row, action in work if action is Action.CHANGE and row.fields},
            passwords=passwords,
            origins={row.name: {**self._known.origins.get(row.name, {}), **row.origin} for row, _ in work if row.origin},
            replaced_credentials=tuple(credential for credential in before if credential is not None),
            table_sha256=table_sha256,
        )

    def _problem(self, line: int, column: str, problem: str, remedy: str = "") -> None:
        self._problems.append(RowProblem(line, column, problem, remedy))

    def _check_columns(self) -> None:
        line, seen = self._table.header_line, set[str]()
        for column in self._table.columns:
            if column in seen:
                self._problem(line, column, "this column is there twice", "take one out")
            elif column and column not in COLUMNS:
                near = did_you_mean(column, COLUMNS).removeprefix("; ")
                self._problem(line, column, "there is no such column", near or "`lamppost camera import --template` shows which there are")
            seen.add(column)
        if not seen.intersection(("name", "title")):
            self._problem(line, "name", "there is no column with names", "add the column name, or title, of which names are made")

    def _read(self) -> list[RowReader]:
        readers: list[RowReader] = []
        made: set[str] = set()
        networks = self._settings.devices.camera_networks
        for row in self._table.rows:
            cells = Cells(row.cells, self._options.profile, self._options.environment)
            reader = RowReader(row.line, cells, self._configured, made, networks, allows_files=self._options.allows_files)
            self._problems += reader.problems
            self._check_preset(reader)
            made.add(reader.name)
            readers.append(reader)
        return readers

    def _check_preset(self, row: RowReader) -> None:
        preset = row.preset
        if preset is None:
            return
        if preset not in self._bad_presets:
            try:
                models = self._settings.models.folder or DataFolder(self._settings.data).models
                equip(preset, models, self._settings.masking.face_model)
                self._bad_presets[preset] = None
            except ConfigError as error:
                self._bad_presets[preset] = error
        if (refused := self._bad_presets[preset]) is not None:
            self._problem(row.line, "preset", refused.problem, refused.remedy)

    def _find_doubles(self, readers: Sequence[RowReader]) -> None:
        lines: dict[str, int] = {}
        here = {reader.name for reader in readers if reader.place}
        # A camera that is in the table stands where the table says.
        stays = [camera for camera in self._configured.values() if camera.name not in here]
        places = {place_of(camera.url): f"camera {camera.name} of the configuration" for camera in stays}
        for reader in readers:
            line = reader.line
            if reader.name in lines:
                self._problem(line, "name", f"camera {reader.name} stands in line {lines[reader.name]} as well", "give each its own name")
                continue
            if reader.name:
                lines[reader.name] = line
            if reader.place and reader.place in places:
                self._problem(line, reader.url_column, f"{places[reader.place]} has the same address", "give it its own, or leave it out")
            elif reader.place:
                places[reader.place] = f"camera {reader.name or '(without a name)'} in line {line}"

    def _check_sites(self, readers: Sequence[RowReader]) -> None:
        """No two names may be one site in grants, those of cameras that stay as they are included."""
        here = {reader.name for reader in readers}
        kept = [camera.site or self._settings.site for camera in self._configured.values() if camera.name not in here]
        names = {site_id(name): name for name in kept}
        for reader in readers:
            site = reader.site or self._settings.site
            other = names.setdefault(site_id(site), site)
            if other != site:
                problem = f"{site!r} and {other!r} are both site:{site_id(site)} in grants, so that who may see one would see both"
                self._problem(reader.line, "site", problem, f"write {other!r}, or call it something else")

    def _decide(self, row: Found) -> tuple[Action, tuple[str, ...]]:
        """What becomes of a row, and which settings it changes."""
        origin = self._known.origins.get(row.name, {})
        new_origin = [key for key, value in row.origin.items() if _plain(origin.get(key)) != _plain(value)]
        before = self._configured.get(row.name)
        if before is None:
            return Action.ADD, tuple(sorted({*row.fields, *row.origin, *(("password",) if row.password else ())}))
        keys = list(row.fields)
        if row.password is not None:
            if self._known.password_of(before) == row.password:
                row.password = None
            else:
                keys.append("password")
        if "password" in keys and (inside := parse_locator(before.url)).password:
            row.fields = {"url": inside.request_url, **({"username": inside.username} if before.username is None else {}), **row.fields}
        if row.has_moved and row.password is None and has_password(before):
            column = next((key for key in ("sub_url", "device_url") if key in keys and "url" not in keys), row.url_column)
            self._problem(row.line, column, "the address is another one, and the camera has a password", "give its password, too")
        filled = [key for key in new_origin if not _plain(origin.get(key))]  # what is said of it for the first time takes nothing away
        others = [*keys, *(key for key in new_origin if key not in filled)]
        if others and not self._options.may_update:
            self._problem(
                row.line,
                "name",
                f"camera {row.name} is there, and other in {', '.join(sorted(others))}",
                "say that cameras may be changed (--update), or take the row out",
            )
        changed = tuple(sorted({*keys, *new_origin}))
        return (Action.CHANGE if changed else Action.UNCHANGED), changed

    def _told(self, row: Found, action: Action, keys: tuple[str, ...]) -> PlannedCamera:
        site = row.camera.site or self._settings.site
        return PlannedCamera(row.line, row.name, parse_locator(row.camera.url).shown, site, action, keys)


def _given(fields: Fields) -> Fields:
    """Without what takes a setting out."""
    return {key: value for key, value in fields.items() if value is not None}


def _plain(value: OriginValue | None) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:.12g}" if isinstance(value, int | float) else value or ""
