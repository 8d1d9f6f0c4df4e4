"""Makes the reference from the code: settings, rules and the published event from their models, commands from their help,
the API from its own document.

`python docs/make_reference.py` writes them; with `--check` it only compares
and fails when a page is stale, so that code and page move in one commit.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, get_args

import typer.main
from api_reference import api_page, openapi_document, openapi_file
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lamppost.cli.main import app
from lamppost.cli.template import SECTIONS
from lamppost.model.carriers import NotifySettings
from lamppost.model.event_document import event_schema
from lamppost.model.firmware_list import list_schema
from lamppost.model.rules import CalibrationPoints, Correspondence, HeatMap, Line, Rule, Zone
from lamppost.model.settings import FILLED_IN, CameraSettings, Settings

REFERENCE = Path(__file__).parent / "reference"


def configuration_page() -> str:
    """Every setting: key, type, default, meaning."""
    lines = [
        "# Configuration",
        "",
        "Made from the settings model by `docs/make_reference.py`; do not edit.",
        "",
        "`lamppost init` writes a commented `lamppost.toml`; `lamppost config check` reads it as `lamppost serve` would.",
        "Unknown keys are refused. Relative paths are relative to the file.",
        "",
        *_table({key: Settings.model_fields[key] for key in ("data", "timezone", "site")}),
    ]
    for name, model in SECTIONS.items():
        lines += ["", f"## `[{name}]`", "", (model.__doc__ or "").splitlines()[0], "", *_table(model.model_fields)]
    lines += ["", "## `[[camera]]`", "", (CameraSettings.__doc__ or "").splitlines()[0], "", *_table(_written(CameraSettings))]
    lines += ["", "## `[[notify]]`", "", (NotifySettings.__doc__ or "").splitlines()[0], "", *_table(NotifySettings.model_fields)]
    return "\n".join(lines) + "\n"


def _written(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields that somebody may write."""
    return {key: field for key, field in model.model_fields.items() if key not in FILLED_IN}


def _table(fields: dict[str, FieldInfo]) -> list[str]:
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, field in fields.items():
        rows.append(f"| `{key}` | {_type(field)} | {_default(field)} | {field.description} |")
    return rows


def _type(field: FieldInfo) -> str:
    limits = [
        f"{word} {getattr(limit, name)}"
        for limit in field.metadata
        for name, word in (("ge", "≥"), ("le", "≤"))
        if getattr(limit, name, None) is not None
    ]
    annotation: Any = field.annotation
    choices = [getattr(choice, "value", choice) for choice in get_args(annotation) if isinstance(choice, str)]
    if isinstance(annotation, type) and hasattr(annotation, "__members__"):
        choices = [member.value for member in annotation.__members__.values()]
    if choices:
        return " or ".join(f'`"{choice}"`' for choice in choices)
    text = str(annotation)
    word = next((word for mark, word in _WORDS if mark in text), "text")
    return f"{word}, {', '.join(limits)}" if limits else word


_WORDS = (
    ("tuple", "list of texts"),
    ("Preset", "a preset"),
    ("Path", "path"),
    ("bool", "true or false"),
    ("float", "number"),
    ("int", "whole number"),
)


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    if field.default is None:
        return "none"
    value = getattr(field.default, "value", field.default)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def cli_page() -> str:
    """Every command with its help and options."""
    lines = ["# Commands", "", "Made from the commands' own help by `docs/make_reference.py`; do not edit.", ""]
    root = typer.main.get_command(app)
    for path, command in _walk(root, ("lamppost",)):
        lines += [f"## `{' '.join(path)}`", "", *_help(command), ""]
        rows = [_option(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            lines += ["| argument or option | meaning |", "|---|---|", *rows, ""]
    return "\n".join(lines).rstrip() + "\n"


def _walk(command: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    children = getattr(command, "commands", None)
    if not children:
        return [(path, command)]
    return [found for name, child in children.items() for found in _walk(child, (*path, name))]


def _help(command: Any) -> list[str]:
    return [line.strip() for line in (command.help or "").strip().splitlines()]


def _option(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        names = f"`{(parameter.metavar or parameter.name or '').upper()}`"
    else:
        names = ", ".join(f"`{name}`" for name in parameter.opts)
    text = " ".join((getattr(parameter, "help", "") or "").split())
    return f"| {names} | {text.replace('|', chr(92) + '|')} |"


def rules_page(page: str) -> str:
    """The page of the rules file, which is written by hand, with its tables made anew from the models."""
    types = get_args(get_args(Rule)[0])
    of_all = {key: field for key, field in types[0].model_fields.items() if all(key in each.model_fields for each in types)}
    tables = {
        "line": _rows(Line.model_fields),
        "zone": _rows(Zone.model_fields),
        "rule": _rows({key: field for key, field in of_all.items() if key != "type"}),
        "types": ["| `type` | when | its keys |", "|---|---|---|", *(_rule_row(each, of_all) for each in types)],
        "calibration": _rows(CalibrationPoints.model_fields),
        "correspondence": _rows(Correspondence.model_fields),
        "heat_map": _rows(HeatMap.model_fields),
    }
    for name, rows in tables.items():
        head, mark, rest = page.partition(f"<!-- made: {name} -->\n")
        page = head + mark + "\n".join(["", *rows, "", ""]) + rest[rest.index("<!-- end -->") :]
    return page


def _rows(fields: dict[str, FieldInfo]) -> list[str]:
    """As `_table`, for what is mostly lists of points and of words: their descriptions say how they are written."""
    return [
        "| key | default | meaning |",
        "|---|---|---|",
        *(f"| `{key}` | {_of_rules(field)} | {field.description}{_bounds(field)} |" for key, field in fields.items()),
    ]


def _rule_row(rule: type[BaseModel], of_all: dict[str, FieldInfo]) -> str:
    keys = (
        f"`{key}`: {field.description}{_bounds(field)} ({_of_rules(field)})"
        for key, field in rule.model_fields.items()
        if key not in of_all
    )
    return f"| `{get_args(rule.model_fields['type'].annotation)[0]}` | {rule.__doc__} | {'<br>'.join(keys)} |"


def _of_rules(field: FieldInfo) -> str:
    if not isinstance(field.default, tuple):
        return _default(field)
    values = [getattr(value, "value", value) for value in field.default]
    return ", ".join(f"`{value}`" for value in values)


def _bounds(field: FieldInfo) -> str:
    limits = {word: getattr(limit, word) for limit in field.metadata for word in ("ge", "gt", "le") if hasattr(limit, word)}
    low = f"{limits['ge']}" if "ge" in limits else f"More than {limits['gt']}" if "gt" in limits else ""
    high = f"at most {limits['le']}" if "le" in limits else ""
    if "ge" in limits:
        return f" {low} to {limits['le']}." if high else f" {low} or more."
    return f" {', '.join(part for part in (low, high) if part)}." if low or high else ""


def event_schema_file() -> str:
    """The JSON Schema of what is published of an event."""
    return json.dumps(event_schema(), indent=2) + "\n"


def firmware_list_schema_file() -> str:
    """The JSON Schema of a list of known firmware, for who writes one."""
    return json.dumps(list_schema(), indent=2) + "\n"


def main() -> int:
    """Write or compare; 1 when a page is stale."""
    REFERENCE.mkdir(exist_ok=True)
    stale = False
    document = openapi_document()
    made = {
        "configuration.md": configuration_page(),
        "cli.md": cli_page(),
        "event.schema.json": event_schema_file(),
        "firmware-list.schema.json": firmware_list_schema_file(),
        "rules.md": rules_page((REFERENCE / "rules.md").read_text()),
        "openapi.json": openapi_file(document),
        "api.md": api_page((REFERENCE / "api.md").read_text(), document),
    }
    for name, text in made.items():
        path = REFERENCE / name
        if "--check" in sys.argv:
            if not path.is_file() or path.read_text() != text:
                sys.stderr.write(f"{path.name} is stale; run: python docs/make_reference.py\n")
                stale = True
        else:
            path.write_text(text)
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
