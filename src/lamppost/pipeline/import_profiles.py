"""Profiles: what many cameras of a table have in common, under a name; a column of the table wins over them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError

from lamppost.base.errors import ConfigError
from lamppost.model.mistakes import did_you_mean, mistakes_of
from lamppost.model.settings import FILLED_IN, CameraSettings
from lamppost.pipeline.camera_columns import IN_PROFILES, ORIGIN, SETTINGS, CellProblem, check_path, origin_of, setting_of

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SECRETS: Final = ("password", "password_env", "password_file", "credential")
_LONGEST: Final = 1000


def check_profile(name: str, fields: Mapping[str, str]) -> dict[str, str]:
    """The fields without those that are empty; raises `ConfigError` with a line for each mistake."""
    wrong: list[str] = []
    if not _NAME.fullmatch(name):
        wrong.append(f"{name[:70]!r} is no name for a profile: use 1 to 63 lower-case letters, digits and hyphens")
    kept = {key: text.strip() for key, text in fields.items() if text.strip()}
    settings: dict[str, object] = {}
    for key, text in kept.items():
        if key in _SECRETS:
            # Without a colon after that word: what follows is taken for a secret, and cut out of the line.
            wrong.append("no password can stand in a profile — each camera has its own, in the table or by `lamppost camera set`")
            continue
        try:
            settings |= _settings(key, text)
        except CellProblem as error:
            wrong.append(f"{key}: {error.problem}" + (f" — {error.remedy}" if error.remedy else ""))
    try:
        CameraSettings.model_validate({"name": "x", "url": "sim://plaza", **settings})
    except ValidationError as error:
        wrong += [mistake.text for mistake in mistakes_of(error, CameraSettings, hidden=FILLED_IN)]
    if wrong:
        raise ConfigError("\n".join(wrong))
    return kept


def _settings(key: str, text: str) -> dict[str, object]:
    """The setting that a field gives, if it is one; raises `CellProblem`."""
    if key not in IN_PROFILES:
        hint = did_you_mean(key, IN_PROFILES).removeprefix("; ") or f"known: {', '.join(IN_PROFILES)}"
        raise CellProblem(key, "this cannot stand in a profile", hint)
    if len(text) > _LONGEST or not text.isprintable():
        raise CellProblem(key, f"it is longer than {_LONGEST} characters, or cannot be printed")
    if key in SETTINGS:
        return {key: setting_of(key, text)}
    if key in ORIGIN:
        origin_of(key, text)
    elif key in ("stream_path", "sub_path"):
        check_path(key, text)
    return {}
