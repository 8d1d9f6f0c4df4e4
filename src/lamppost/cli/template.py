"""The commented `lamppost.toml` that `lamppost init` writes, made from the settings model.

Its comments are the fields' descriptions, so that they cannot differ from the
reference page, which is made from the same.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from enum import Enum
from typing import Any, cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lamppost.model.device_settings import DeviceSettings
from lamppost.model.server_settings import MetricsSettings, ServerSettings
from lamppost.model.settings import FleetSettings, LogSettings, RecordingSettings, RetentionSettings, SealingSettings, Settings
from lamppost.model.vision_settings import AnalysisSettings, MaskingSettings, ModelsSettings

SECTIONS: dict[str, type[BaseModel]] = {
    "sealing": SealingSettings,
    "recording": RecordingSettings,
    "retention": RetentionSettings,
    "masking": MaskingSettings,
    "analysis": AnalysisSettings,
    "models": ModelsSettings,
    "fleet": FleetSettings,
    "metrics": MetricsSettings,
    "server": ServerSettings,
    "devices": DeviceSettings,
    "log": LogSettings,
}


def render_config(
    *,
    data: str,
    custodians: tuple[str, ...],
    threshold: int,
    trial: bool,
    cameras: Mapping[str, str],
    site: str = "",
    rules_file: str = "",
) -> str:
    """The text of a configuration: what is given is set, every other setting stands as a comment with its default."""
    lines = ["# Lamppost's configuration. Check it with: lamppost config check", ""]
    lines += [*_comment(Settings.model_fields["data"]), f"data = {_toml(data)}", ""]
    zone = Settings.model_fields["timezone"]
    lines += [*_comment(zone), f"# timezone = {_toml(zone.default)}", ""]
    lines += [*_comment(Settings.model_fields["site"]), f"site = {_toml(site)}" if site else '# site = ""', ""]
    given: dict[str, dict[str, Any]] = {"sealing": {"custodians": list(custodians), "threshold": threshold, "trial": trial}}
    for name, model in SECTIONS.items():
        lines += [f"[{name}]"]
        for key, field in model.model_fields.items():
            lines += _comment(field)
            if key in given.get(name, {}):
                lines.append(f"{key} = {_toml(given[name][key])}")
            else:
                lines.append(f"# {key} = {_toml(field.default)}")
        lines.append("")
    lines += ["# One table [[camera]] for each camera: name, url, and where needed username, password_file, preset."]
    lines += ["# rules_file names a file of lines and zones in which it counts: see the guide, Rules.", ""]
    for name, url in cameras.items():
        lines += ["[[camera]]", f"name = {_toml(name)}", f"url = {_toml(url)}"]
        lines += [f"rules_file = {_toml(rules_file)}", ""] if rules_file else [""]
    lines += ["# One table [[notify]] for each who is told of events: see the guide, Notifications.", ""]
    return "\n".join(lines)


def _comment(field: FieldInfo) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(field.description or "", 98)]


def _toml(value: Any) -> str:
    if value is PydanticUndefined or value is None:
        return '""'
    if isinstance(value, Enum):
        return json.dumps(value.value)
    if isinstance(value, list) and len(json.dumps(value)) > 80:
        items = "".join(f"    {json.dumps(item)},\n" for item in cast(list[str], value))
        return f"[\n{items}]"
    # JSON's strings, numbers, booleans and arrays of them are TOML's as well, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
