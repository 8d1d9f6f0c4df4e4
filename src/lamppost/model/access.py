"""Who may do what: roles, what each of them permits, and where.

Nobody may do anything by default. A user has grants, each a role in a scope;
what a grant permits it permits for the cameras of its scope, and what concerns
the whole node only where its scope is everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self

from lamppost.base.errors import ConfigError

EVERYTHING: Final = "*"
_SITE: Final = "site:"
_CAMERA: Final = "camera:"


class Permission(StrEnum):
    """One thing that somebody may do."""

    WATCH_LIVE = "watch_live"
    WATCH_PAST = "watch_past"
    EXPORT = "export"
    SEE_CAMERAS = "see_cameras"
    EDIT_CAMERAS = "edit_cameras"
    AUDIT_CAMERAS = "audit_cameras"
    STEER_CAMERAS = "steer_cameras"
    SEE_EVENTS = "see_events"
    HANDLE_EVENTS = "handle_events"
    SEE_COUNTS = "see_counts"
    EDIT_RULES = "edit_rules"
    SEE_HOLDS = "see_holds"
    PLACE_HOLDS = "place_holds"
    SEE_ACTS = "see_acts"
    SEE_CONFIGURATION = "see_configuration"
    EDIT_CONFIGURATION = "edit_configuration"
    SEE_USERS = "see_users"
    EDIT_USERS = "edit_users"
    SEE_SYSTEM = "see_system"
    OPERATE = "operate"


OF_THE_NODE: Final = frozenset(
    {
        Permission.SEE_CONFIGURATION,
        Permission.EDIT_CONFIGURATION,
        Permission.SEE_USERS,
        Permission.EDIT_USERS,
        Permission.SEE_SYSTEM,
        Permission.OPERATE,
    }
)
"""What concerns no single camera, and needs a grant for everything."""


class Role(StrEnum):
    """What somebody is to the node."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    PTZ_OPERATOR = "ptz_operator"
    ANALYST = "analyst"
    PRIVACY_OFFICER = "privacy_officer"
    EVIDENCE_OFFICER = "evidence_officer"
    CUSTODIAN = "custodian"
    ADMINISTRATOR = "administrator"


_VIEWER: Final = frozenset({Permission.SEE_CAMERAS, Permission.WATCH_LIVE, Permission.SEE_EVENTS})
_OPERATOR: Final = _VIEWER | {Permission.WATCH_PAST, Permission.EXPORT, Permission.HANDLE_EVENTS, Permission.SEE_COUNTS}
PERMITTED: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.VIEWER: _VIEWER,
        Role.OPERATOR: _OPERATOR,
        Role.PTZ_OPERATOR: _OPERATOR | {Permission.STEER_CAMERAS},
        Role.ANALYST: _VIEWER | {Permission.SEE_COUNTS, Permission.EDIT_RULES},
        Role.PRIVACY_OFFICER: _VIEWER
        | {
            Permission.SEE_HOLDS,
            Permission.SEE_ACTS,
            Permission.SEE_CONFIGURATION,
            Permission.SEE_USERS,
            Permission.SEE_SYSTEM,
            Permission.AUDIT_CAMERAS,
        },
        Role.EVIDENCE_OFFICER: _VIEWER | {Permission.WATCH_PAST, Permission.EXPORT, Permission.SEE_HOLDS, Permission.PLACE_HOLDS},
        Role.CUSTODIAN: frozenset({Permission.SEE_CAMERAS, Permission.SEE_HOLDS, Permission.SEE_ACTS}),
        # Who sets up the cameras does not also watch what they have recorded.
        Role.ADMINISTRATOR: frozenset(Permission) - {Permission.WATCH_PAST, Permission.EXPORT},
    }
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a grant holds: `*`, `site:ID` or `camera:NAME`."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `ConfigError` for what is no scope."""
        is_named = any(text.startswith(kind) and len(text) > len(kind) for kind in (_SITE, _CAMERA))
        if text != EVERYTHING and not is_named:
            raise ConfigError(f"{text!r} is no scope", remedy="write `*`, `site:ID` or `camera:NAME`")
        return cls(text)

    @property
    def is_everything(self) -> bool:
        return self.text == EVERYTHING

    def holds(self, camera: str, site: str) -> bool:
        """Whether `camera`, which belongs to `site` (its id), lies in it."""
        return self.text in (EVERYTHING, f"{_CAMERA}{camera}", f"{_SITE}{site}")

    def is_within(self, other: Scope, sites: Mapping[str, str]) -> bool:
        """Whether all of this lies in `other`; `sites` has the site of each camera."""
        if other.is_everything or other == self:
            return True
        return self.text.startswith(_CAMERA) and other.text == f"{_SITE}{sites.get(self.text.removeprefix(_CAMERA), '')}"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in a scope."""

    role: Role
    scope: Scope

    def permits(self, permission: Permission) -> bool:
        return permission in PERMITTED[self.role]


def permits_on(grants: Iterable[Grant], permission: Permission, camera: str, site: str) -> bool:
    """Whether one of `grants` permits it on a camera."""
    return any(grant.permits(permission) and grant.scope.holds(camera, site) for grant in grants)


def permits_everywhere(grants: Iterable[Grant], permission: Permission) -> bool:
    """Whether one of `grants` permits it for everything: for what concerns the node, and for cameras that are not there any more."""
    return any(grant.permits(permission) and grant.scope.is_everything for grant in grants)


def permits_anywhere(grants: Iterable[Grant], permission: Permission) -> bool:
    """Whether one of `grants` permits it in any scope at all."""
    return any(grant.permits(permission) for grant in grants)


def permitted_on(grants: Iterable[Grant], camera: str, site: str) -> frozenset[Permission]:
    """All that `grants` permit on a camera."""
    held = [PERMITTED[grant.role] for grant in grants if grant.scope.holds(camera, site)]
    return frozenset[Permission]().union(*held) - OF_THE_NODE
