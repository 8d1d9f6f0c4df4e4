"""Says an event to a person: a title and a few lines, in plain text."""

from __future__ import annotations

from typing import Any, Final

_PHASES: Final = {"start": "began", "update": "goes on", "end": "is over"}
_UNITS: Final = {"": "", "s": " s", "m": " m", "per_m2": " people per m²", "km/h": " km/h"}


def title_of(document: dict[str, Any]) -> str:
    """Such as `Alarm: crowd density at plaza began (Old Town)`."""
    site = f" ({document['site']})" if document["site"] else ""
    place = document["camera"] or "the node"
    return f"{str(document['severity']).capitalize()}: {_spoken(document['type'])} at {place} {_PHASES[document['phase']]}{site}"


def text_of(document: dict[str, Any]) -> str:
    """What is known, a line each; the id stands last, so that a message that came twice is known for one."""
    lines = [
        ("Place", document["place"]),
        ("Rule", document["rule"]),
        ("Kind", document["kind"]),
        ("Count", document["count"]),
        ("Value", _measured(document["value"], document)),
        ("Limit", _measured(document["limit"], document)),
        ("Level", document["level"]),
        ("Ways", ", ".join(document["ways"])),
        ("Note", document["note"]),
        ("Began", document["started"]),
        ("Over since", document["ended"]),
        ("Id", f"{document['id']}-{document['sequence']}"),
    ]
    return "\n".join(f"{name}: {value}" for name, value in lines if value not in (None, ""))


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _measured(value: float | None, document: dict[str, Any]) -> str | None:
    if value is None:
        return None
    unit = document["unit"] or ""
    return f"{value:g}{_UNITS.get(unit, f' {unit}')}"
