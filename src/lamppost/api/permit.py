"""Which permission a route needs. A route without one of these is refused when the application is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.requests import HTTPConnection
from fastapi.routing import APIRoute, APIWebSocketRoute

from lamppost.access.desk import SignedIn
from lamppost.api.context import Context, context_of
from lamppost.api.problems import forbidden, not_found
from lamppost.api.security import identify
from lamppost.model.access import OF_THE_NODE, Permission, permits_anywhere, permits_everywhere, permits_on
from lamppost.model.sites import sites_of

API: Final = "/api/v1"
PERMISSION_KEY: Final = "x-lamppost-permission"
ON_KEY: Final = "x-lamppost-on"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, and what they may do."""

    signed_in: SignedIn
    context: Context

    @property
    def name(self) -> str:
        """As acts name them."""
        return self.signed_in.name

    def may(self, permission: Permission, camera: str) -> bool:
        return permits_on(self.signed_in.grants, permission, camera, self.context.site_of(camera))

    def may_everywhere(self, permission: Permission) -> bool:
        return permits_everywhere(self.signed_in.grants, permission)

    def cameras(self, permission: Permission) -> tuple[str, ...]:
        """The configured cameras on which it is permitted, in their order."""
        grants = self.signed_in.grants
        return tuple(name for name, site in sites_of(self.context.settings).items() if permits_on(grants, permission, name, site))

    def require_person(self) -> None:
        """Raises 403 for a token: it cannot change who may sign in, nor make what outlives it."""
        if self.signed_in.session_id is None:
            raise forbidden("this needs somebody who has signed in, and no token")

    def require(self, permission: Permission, camera: str) -> None:
        """Raises 404 for a camera that they know nothing of, 403 for one that they may see and not this."""
        if self.may(permission, camera):
            return
        if self.may(Permission.SEE_CAMERAS, camera):
            raise forbidden(f"you may not do this with camera {camera}")
        raise not_found("camera")


class Permit:
    """A dependency: who asks has signed in, and may do this.

    Where the path names a `camera`, it must be permitted on that one. Otherwise what is of the node needs a grant for
    everything, and for all else one anywhere suffices: such a route leaves out what its caller may not see, by `Identity`.
    """

    def __init__(self, permission: Permission, *, everywhere: bool = False) -> None:
        self.permission = permission
        self.everywhere = everywhere or permission in OF_THE_NODE

    def __call__(self, connection: HTTPConnection) -> Identity:
        identity = _identity(connection)
        camera = connection.path_params.get("camera")
        if camera is not None and not self.everywhere:
            identity.require(self.permission, str(camera))
            return identity
        grants = identity.signed_in.grants
        is_permitted = permits_everywhere(grants, self.permission) if self.everywhere else permits_anywhere(grants, self.permission)
        if not is_permitted:
            raise forbidden("you may not do this")
        return identity


class AnySignedIn:
    """A dependency for what everybody may who has signed in: their own account, the page about privacy."""

    def __call__(self, connection: HTTPConnection) -> Identity:
        return _identity(connection)


class Anybody:
    """A dependency for what needs no sign-in, such as signing in."""

    def __call__(self) -> None:
        return None


def _identity(connection: HTTPConnection) -> Identity:
    return Identity(identify(connection), context_of(connection))


On = Literal["camera", "node", "filtered", "signed_in", "anybody"]


def mark_routes(router: APIRouter) -> None:
    """Write into the OpenAPI document what each route needs; raises `TypeError` for a route that says nothing of it."""
    for route in router.routes:
        if not isinstance(route, APIRoute | APIWebSocketRoute):
            raise TypeError(f"{route} is no route of a resource, and nobody would be asked for a permit")
        gates = list(_gates(route.dependant))
        if len(gates) != 1:
            raise TypeError(f"{route.path} has {len(gates)} permits, and must have one")
        if isinstance(route, APIRoute):
            route.openapi_extra = (route.openapi_extra or {}) | _marks(gates[0], route.path)


def permit_of(route: APIRoute | APIWebSocketRoute) -> tuple[Permission | None, On]:
    """What a route needs, for the test of every role and route."""
    (gate,) = _gates(route.dependant)
    return _needs(gate, route.path)


def _marks(gate: Any, path: str) -> dict[str, Any]:
    permission, on = _needs(gate, path)
    return {ON_KEY: on} | ({PERMISSION_KEY: permission.value} if permission else {})


def _needs(gate: Any, path: str) -> tuple[Permission | None, On]:
    if isinstance(gate, Permit):
        if gate.everywhere:
            return gate.permission, "node"
        return gate.permission, "camera" if "{camera}" in path else "filtered"
    return None, "signed_in" if isinstance(gate, AnySignedIn) else "anybody"


def _gates(dependant: Dependant) -> Iterator[Any]:
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, Permit | AnySignedIn | Anybody):
            yield dependency.call
        yield from _gates(dependency)
