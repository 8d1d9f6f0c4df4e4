"""Makes the reference of the API from its OpenAPI document: every route by area, and every document that goes in or out."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any, cast

from fastapi.routing import APIWebSocketRoute

from lamppost.api.app import RESOURCES, create_app
from lamppost.api.context import Context
from lamppost.api.document import AREAS, SCHEMAS
from lamppost.api.permit import API, ON_KEY, PERMISSION_KEY, permit_of
from lamppost.base.clock import ManualClock
from lamppost.model import rules
from lamppost.model.layout import DataFolder

JSON = "application/json"
# Told on the page of the rules file: it has the same keys.
OF_RULES = {name for name, _ in inspect.getmembers(rules, inspect.isclass) if vars(rules)[name].__module__ == rules.__name__}


def openapi_document() -> dict[str, Any]:
    """The document of an application that is served by nobody."""
    nothing = cast(Any, None)
    context = Context(DataFolder(Path("nowhere")), ManualClock(), nothing, nothing, nothing, config=None, started_us=0)
    return create_app(context).openapi()


def openapi_file(document: dict[str, Any]) -> str:
    """The document as a file."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def api_page(page: str, document: dict[str, Any]) -> str:
    """The page, whose beginning is written by hand, with what is made of the document put in anew."""
    for name, lines in {"routes": _routes(document), "documents": _documents(document)}.items():
        head, mark, rest = page.partition(f"<!-- made: {name} -->\n")
        page = head + mark + "\n".join(["", *lines, ""]) + rest[rest.index("<!-- end -->") :]
    return page


def _routes(document: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for area, about in AREAS.items():
        operations = [
            (method.upper(), path.removeprefix(API), operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
            if area in operation["tags"]
        ]
        lines += [f"### Routes: {area}", "", about, "", "| route | needs |", "|---|---|"]
        lines += [
            f"| `{method} {path}` | {_needs(operation.get(PERMISSION_KEY), operation[ON_KEY])} |" for method, path, operation in operations
        ]
        lines += [f"| `WS {path}` | {_needs(permission, on)} |" for path, permission, on in _sockets(area)]
        for method, path, operation in operations:
            lines += ["", f"#### `{method} {path}`", "", *_operation(operation)]
        lines.append("")
    return lines


def _sockets(area: str) -> list[tuple[str, str | None, str]]:
    """WebSockets are in no OpenAPI document."""
    found = [route for name, router in RESOURCES if name == area for route in router.routes if isinstance(route, APIWebSocketRoute)]
    return [(route.path, *permit_of(route)) for route in found]


def _needs(permission: str | None, on: str) -> str:
    return {
        "anybody": "nothing",
        "signed_in": "to be signed in",
        "camera": f"`{permission}` on the camera",
        "node": f"`{permission}` everywhere",
        "filtered": f"`{permission}` somewhere",
    }[on]


def _operation(operation: dict[str, Any]) -> list[str]:
    lines = [_sentence(operation.get("description") or operation["summary"])]
    body = operation.get("requestBody")
    if body is not None:
        optional = "" if body.get("required") else ", or nothing"
        lines += ["", f"Body: {_type(body['content'][JSON]['schema'])}{optional}."]
    if parameters := operation.get("parameters"):
        lines += ["", "| parameter | in | type | meaning |", "|---|---|---|---|"]
        for each in parameters:
            left_out = "" if each["required"] else _left_out(each["schema"])
            lines.append(
                f"| `{each['name']}` | {each['in']} | {_cell(_type(each['schema']))} | {_cell(each.get('description', ''))}{left_out} |"
            )
    answers = [_answer(status, answer) for status, answer in operation["responses"].items() if status != "default"]
    return [*lines, "", f"Answers: {'; '.join(answers)}."]


def _answer(status: str, answer: dict[str, Any]) -> str:
    contents = [
        _type(content["schema"]) if media_type == JSON and content.get("schema") else f"`{media_type}`"
        for media_type, content in answer.get("content", {}).items()
        if not (int(status) >= 400 or (media_type == JSON and not content.get("schema")))
    ]
    said = "" if answer["description"] == "Successful Response" else answer["description"].rstrip(".")
    what = ", ".join(part for part in (" or ".join(contents), said[:1].lower() + said[1:]) if part)
    return f"{status} {what or 'nothing'}"


def _documents(document: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for name, schema in document["components"]["schemas"].items():
        if name in OF_RULES:
            continue
        lines += [f"### `{name}`", ""]
        if about := _sentence(schema.get("description", "")):
            lines += [about, ""]
        if "properties" not in schema:
            lines += [f"{_capital(_type(schema))}.", ""]
            continue
        required = set(schema.get("required", ()))
        lines += ["| field | type | meaning |", "|---|---|---|"]
        for field, each in schema["properties"].items():
            left_out = "" if field in required else _left_out(each)
            lines.append(f"| `{field}` | {_cell(_type(each))} | {_cell(each.get('description', ''))}{left_out} |")
        lines.append("")
    return lines


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(SCHEMAS)
        return f"[`{name}`](rules.md)" if name in OF_RULES else f"[`{name}`](#{name.lower()})"
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if choices := schema.get("anyOf", schema.get("oneOf")):
        return " or ".join(dict.fromkeys(_type(each) for each in choices))
    kind = schema.get("type")
    if kind == "array":
        return _list(schema)
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"object, each value {_type(values)}" if isinstance(values, dict) and values else "object"
    if kind == "string":
        return _text(schema)
    if kind in ("integer", "number"):
        return _number("whole number" if kind == "integer" else "number", schema)
    return {"boolean": "true or false", "null": "null"}.get(kind or "", "anything")


def _list(schema: dict[str, Any]) -> str:
    if "prefixItems" in schema:
        return f"list of {', '.join(_type(each) for each in schema['prefixItems'])}, in this order"
    most = f", {schema['maxItems']} at most" if "maxItems" in schema else ""
    return f"list of {_type(schema.get('items', {}))}{most}"


def _text(schema: dict[str, Any]) -> str:
    if schema.get("format") == "date-time":
        return "time"
    if schema.get("format") == "password":
        return _length("text, a secret", schema)
    return _length("text", schema)


def _length(word: str, schema: dict[str, Any]) -> str:
    least, most = schema.get("minLength"), schema.get("maxLength")
    if most is not None:
        return f"{word}, {f'{least} to ' if least else 'at most '}{most} characters"
    return f"{word}, {least} characters at least" if least else word


def _number(word: str, schema: dict[str, Any]) -> str:
    marks = (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
    limits = [f"{mark} {schema[key]:g}" for key, mark in marks if key in schema]
    return ", ".join((word, *limits))


def _left_out(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    told = "" if default in (None, "", [], {}) else f": `{json.dumps(default, ensure_ascii=False)}`"
    return f" *May be left out{told}.*"


def _sentence(text: str) -> str:
    """A docstring as one paragraph for each of its own."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
