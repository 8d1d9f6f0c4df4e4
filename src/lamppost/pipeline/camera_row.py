"""One row of a table of cameras: what it wants, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from pydantic import ValidationError

from lamppost.base.errors import ConfigError
from lamppost.ingest.locator import Locator, Scheme, check_transport, parse_locator
from lamppost.model.mistakes import mistakes_of
from lamppost.model.networks import CameraNetworks
from lamppost.model.settings import FILLED_IN, CameraSettings
from lamppost.model.vision import Preset
from lamppost.pipeline.camera_columns import (
    ORIGIN,
    SETTINGS,
    CellProblem,
    Value,
    check_device_url,
    check_name,
    name_of,
    origin_of,
    setting_of,
    streams_of,
)
from lamppost.pipeline.camera_places import REMEDY, misplaced
from lamppost.pipeline.camera_table import RowProblem
from lamppost.pipeline.device_access import device_address
from lamppost.pipeline.new_address import STREAM_ADDRESSES

OriginValue = str | float | date
_SECRETS: Final = frozenset({"password", "password_file", "credential", "rules"})


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a row, with those of a profile where they are empty."""

    row: Mapping[str, str]
    profile: Mapping[str, str]
    environment: Mapping[str, str] | None

    def __call__(self, column: str) -> str:
        return self.row.get(column) or self.profile.get(column, "")


@dataclass(slots=True)
class Found:
    """What a row without mistakes wants: `fields` are the settings in which the camera is to be another than it is."""

    line: int
    name: str
    camera: CameraSettings  # as it would be, without its password
    fields: dict[str, Value]
    password: str | None = field(repr=False)
    origin: dict[str, OriginValue]
    url_column: str
    has_moved: bool


class RowReader:
    """Reads one row: `found` is what it wants, None where there are `problems`.

    What can be said of it all the same, so that doubles are found in every row: its `name`, its `place` (where its video
    comes from) and its `site`, each empty where it is not known, and its `preset`. `made` are the names of the rows before it.
    """

    def __init__(
        self,
        line: int,
        cells: Cells,
        configured: Mapping[str, CameraSettings],
        made: Collection[str],
        networks: CameraNetworks,
        *,
        allows_files: bool,
    ) -> None:
        self.line = line
        self.problems: list[RowProblem] = []
        self.url_column = "url" if cells("url") else "address"
        self.place = ""
        self._cells = cells
        self._networks = networks
        self._allows_files = allows_files
        self.name = self._name(made)
        before = configured.get(self.name)
        self.site = cells("site") or (before.site if before is not None else "")
        self.found = self._read(before)

    def _read(self, before: CameraSettings | None) -> Found | None:
        given, locators = self._settings(before)
        self.place = place_of(str(given.get("url") or (before.url if before is not None else "")))
        password = self._password(given, locators)
        origin = self._origin()
        self._check_places(given)
        was = before.username or parse_locator(before.url).username if before is not None else ""
        if password is not None and not given.get("username", was):
            self._wrong("username", "there is a password, and no user", "give username")
        preset = str(given.get("preset", ""))
        self.preset = Preset(preset) if preset in set(Preset) else None
        camera = self._camera(given, before)
        if camera is None or self.problems:
            return None
        fields = _differing(given, camera, before)
        has_moved = before is not None and _has_moved(camera, before, fields)
        return Found(self.line, self.name, camera, fields, password, origin, self.url_column, has_moved)

    def _wrong(self, column: str, problem: str, remedy: str = "") -> None:
        self.problems.append(RowProblem(self.line, column, problem, remedy))

    def _name(self, made: Collection[str]) -> str:
        name, title = self._cells("name"), self._cells("title")
        if name:
            try:
                check_name(name)
            except CellProblem as error:
                self._wrong(error.column, error.problem, error.remedy)
            return name
        if not title:
            self._wrong("name", "the camera has no name", "give name, or title, of which one is made")
            return ""
        base = name_of(title)
        if not base:
            self._wrong("title", "no name can be made of it: no letter of it can stand in one", "give name")
            return ""
        numbered = (f"{base[:60]}-{number}" for number in range(2, len(made) + 3))
        return base if base not in made else next(each for each in numbered if each not in made)

    def _settings(self, before: CameraSettings | None) -> tuple[dict[str, Value], dict[str, Locator]]:
        """The settings that are given, addresses without user and password; and the addresses taken apart."""
        given: dict[str, Value] = {}
        for column in SETTINGS:
            text = self._cells(column)
            if text and column not in STREAM_ADDRESSES:
                try:
                    given[column] = setting_of(column, text)
                except CellProblem as error:
                    self._wrong(error.column, error.problem, error.remedy)
        streams: dict[str, str] = {}
        if before is None or self._cells("url") or self._cells("address"):
            try:
                streams = streams_of(self._cells)
            except CellProblem as error:
                self._wrong(error.column, error.problem, error.remedy)
        elif sub := self._cells("sub_url"):
            streams = {"sub_url": sub}
        locators: dict[str, Locator] = {}
        for key, url in streams.items():
            locator = self._locator(key, url)
            if locator is not None:
                locators[key] = locator
                given[key] = locator.request_url or url
        return given, locators

    def _locator(self, key: str, url: str) -> Locator | None:
        column = self._column_of(key)
        try:
            locator = parse_locator(url)
        except ConfigError as error:
            self._wrong(column, error.problem, error.remedy)
            return None
        if locator.scheme is Scheme.FILE and not self._allows_files:
            self._wrong(column, "through the API a camera's address begins with rtsp://, rtsps:// or sim://")
            return None
        return locator

    def _column_of(self, key: str) -> str:
        return key if self._cells(key) else "stream_path" if self._cells("stream_path") else self.url_column

    def _password(self, given: dict[str, Value], locators: Mapping[str, Locator]) -> str | None:
        """The password, from one place; the user that stands in an address is put among what is given."""
        for locator in locators.values():
            if locator.username and given.setdefault("username", locator.username) != locator.username:
                self._wrong("username", "another user stands in the address", "give one of them")
        inside = next((locator.password for locator in locators.values() if locator.password), "")
        column, variable = self._cells("password"), self._cells("password_env")
        if sum(map(bool, (inside, column, variable))) > 1:
            self._wrong("password", "a password is given in more than one way", "give one of password, password_env and one in url")
            return None
        name = "password_env" if variable else "password" if column else "url"
        text = self._of_environment(variable) if variable else column or inside
        if not text:
            return None
        if text != text.strip() or not text.isprintable() or len(text) > 200:
            self._wrong(name, "the password begins or ends with a blank, is longer than 200 characters, or cannot be printed")
            return None
        if locators and all(locator.scheme in (Scheme.SIM, Scheme.FILE) for locator in locators.values()):
            self._wrong(name, "a password is given, and nobody asks for it: the address is no camera's", "take it out")
            return None
        return text

    def _of_environment(self, variable: str) -> str:
        environment = self._cells.environment
        if environment is None:
            self._wrong("password_env", "variables of the environment are read by the command alone", "give password")
            return ""
        text = environment.get(variable, "")
        if not text:
            self._wrong("password_env", "there is no such variable in the environment, or it is empty", "set it for this command")
        return text

    def _origin(self) -> dict[str, OriginValue]:
        found: dict[str, OriginValue] = {}
        for column in ORIGIN:
            if text := self._cells(column):
                try:
                    found[column] = origin_of(column, text)
                except CellProblem as error:
                    self._wrong(error.column, error.problem, error.remedy)
        if "cost" in found and "currency" not in found:
            self._wrong("currency", "a cost is given without its currency", "write its three letters, such as EUR")
        return found

    def _check_places(self, given: Mapping[str, Value]) -> None:
        device_url = given.get("device_url")
        if isinstance(device_url, str):
            try:
                check_device_url(device_url, str(given.get("device_certificate_sha256", "")))
            except CellProblem as error:
                self._wrong(error.column, error.problem, error.remedy)
        for key, why_not in misplaced(given, self._networks).items():
            self._wrong(key if key == "device_url" else self._column_of(key), why_not, REMEDY)

    def _camera(self, given: Mapping[str, Value], before: CameraSettings | None) -> CameraSettings | None:
        """The camera as it would be; mistakes are told at their columns."""
        known: dict[str, Any] = before.model_dump(exclude=set(_SECRETS)) if before is not None else {}
        # Where name or address are missing the other settings are looked at all the same.
        known = {"url": "sim://plaza", **known, **given, "name": self.name if not self.problems else "x"}
        try:
            camera = CameraSettings.model_validate(known)
        except ValidationError as error:
            self._mistaken(error)
            return None
        for key in STREAM_ADDRESSES:
            url = getattr(camera, key)
            try:
                if url is not None:
                    check_transport(parse_locator(url), camera.transport, camera.certificate_sha256)
            except ConfigError as error:
                self._wrong(self._column_of(key), error.problem, error.remedy)
        return camera

    def _mistaken(self, error: ValidationError) -> None:
        told = {problem.column for problem in self.problems}
        for mistake in mistakes_of(error, CameraSettings, noun="a column", hidden=FILLED_IN):
            key = str(mistake.place[0]) if mistake.place else ""
            column = self._column_of(key) if key in STREAM_ADDRESSES else key
            if column not in told:
                self._wrong(column, mistake.text.partition(": ")[2] or mistake.text)


def _differing(given: Mapping[str, Value], camera: CameraSettings, before: CameraSettings | None) -> dict[str, Value]:
    """What is given and not so already. A user or a password in an address that stays is no difference."""
    if before is None:
        return dict(given)
    fields: dict[str, Value] = {}
    for key, value in given.items():
        now, was = getattr(camera, key), getattr(before, key)
        if key in STREAM_ADDRESSES and was is not None:
            was = parse_locator(was).request_url or was
        if key == "username":
            was = was or parse_locator(before.url).username or None
        if now != was:
            fields[key] = value
    return fields


def _has_moved(camera: CameraSettings, before: CameraSettings, changed: Collection[str]) -> bool:
    """Whether the password of `before` would go to somebody else."""
    if any(_server(camera, key) != _server(before, key) for key in STREAM_ADDRESSES if key in changed):
        return True
    return "device_url" in changed and camera.has_device and not (before.has_device and device_address(camera) == device_address(before))


def _server(camera: CameraSettings, key: str) -> tuple[str, str, int]:
    url = getattr(camera, key) or camera.url
    locator = parse_locator(url)
    return locator.scheme.value, locator.host.lower(), locator.port


def place_of(url: str) -> str:
    """Where a stream comes from, for comparing; empty for what several cameras may have."""
    try:
        return parse_locator(url).request_url.lower()
    except ConfigError:
        return ""
