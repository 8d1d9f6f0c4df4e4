"""The OpenAPI document: what the framework makes of the routes, with what all of them have in common put right.

Every error is a problem document, whoever may ask shows a token or a cookie,
and the areas say what they are about.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI

from lamppost.api.permit import ON_KEY
from lamppost.api.problems import MEDIA_TYPE, ProblemDocument
from lamppost.api.security import SECURE_COOKIE

SCHEMAS: Final = "#/components/schemas/"
AREAS: Final = {
    "session": "Signing in and out.",
    "account": "What everybody may change about their own account: password, one-time codes, preferences, API tokens.",
    "users": "Who else there is, and what they may do.",
    "cameras": "Cameras as they are and as they are set up, and what is known of their health.",
    "devices": "Devices that are no cameras yet: searches for them, and a look at one before it is added.",
    "audits": "What the devices behind cameras are able to do with faces, what is switched on, and how it is switched off.",
    "live": "Masked pictures as they are made.",
    "past": "Masked video of the past. A view comes first: it says who looks at what, and why.",
    "events": "What rules and the health of cameras found, and what people said about it.",
    "counts": "Counts by line, zone and picture. Unknown is null, never 0.",
    "rules": "Lines, zones and rules of a camera.",
    "holds": "What is kept beyond its time.",
    "node": "The node: its sites, its processes, its configuration, its acts, those it tells.",
}
_PROBLEM: Final = {
    "description": "A problem, as RFC 9457 has it.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": SCHEMAS + "ProblemDocument"}}},
}
# What the framework says of requests that it refuses; here they are problems like all others.
_NOT_OURS: Final = ("HTTPValidationError", "ValidationError")
_SECURITY: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token of a user, `lp_…`."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": SECURE_COOKIE,
        "description": "The console's session; without TLS it is called `lamppost`. What changes something needs `X-CSRF-Token` as well.",
    },
}


class Application(FastAPI):
    """The application, which describes itself."""

    def openapi(self) -> dict[str, Any]:
        """The document; made once, and again when a route was added."""
        before = self.openapi_schema
        document = super().openapi()
        if document is not before:
            _put_right(document)
        return document


def _put_right(document: dict[str, Any]) -> None:
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _NOT_OURS:
        schemas.pop(name, None)
    own: dict[str, Any] = ProblemDocument.model_json_schema(ref_template=SCHEMAS + "{model}", mode="serialization")
    schemas.update(own.pop("$defs", {}))
    schemas["ProblemDocument"] = own
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["components"]["securitySchemes"] = _SECURITY
    for methods in document.get("paths", {}).values():
        for operation in methods.values():
            answers: dict[str, Any] = operation["responses"]
            if _is_the_frameworks(answers.get("422")):
                del answers["422"]
            for status, answer in answers.items():
                if int(status) >= 400:
                    answer.setdefault("content", _PROBLEM["content"])
            answers["default"] = _PROBLEM
            operation["security"] = [] if operation.get(ON_KEY) == "anybody" else [{name: []} for name in _SECURITY]
    document["tags"] = [{"name": name, "description": description} for name, description in AREAS.items()]


def _is_the_frameworks(answer: dict[str, Any] | None) -> bool:
    return answer is not None and _NOT_OURS[0] in str(answer.get("content"))
