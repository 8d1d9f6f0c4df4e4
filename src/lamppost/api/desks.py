"""The desk where people and what they may are kept, for the routes that change them."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from lamppost.access.desk import Desk
from lamppost.api.context import Context
from lamppost.api.problems import Problem
from lamppost.base.errors import ConfigError
from lamppost.model.access import Grant, Role, Scope


def desk_of(context: Context) -> Desk:
    """Raises 501 where users are kept elsewhere."""
    if not isinstance(context.desk, Desk):
        raise Problem(HTTPStatus.NOT_IMPLEMENTED, "users are not kept here")
    return context.desk


def parse_grants(given: Iterable[tuple[str, str]]) -> tuple[Grant, ...]:
    """Grants of roles and scopes as they were sent; raises `ConfigError` for what is none."""
    grants: list[Grant] = []
    for role, scope in given:
        if role not in set(Role):
            raise ConfigError(f"there is no role {role!r}", remedy=f"one of {', '.join(Role)}")
        grants.append(Grant(Role(role), Scope.parse(scope)))
    return tuple(dict.fromkeys(grants))
