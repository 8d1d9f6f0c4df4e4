"""The one place that is asked who somebody is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lamppost.model.access import Grant


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who has proven who they are; `session_id` is None where an API token did."""

    user_id: str
    name: str
    display_name: str
    grants: tuple[Grant, ...]
    session_id: str | None
    csrf: str
    expires_us: int


class AccessDesk(Protocol):
    """Knows sessions and tokens."""

    def of_session(self, cookie: str) -> SignedIn | None:
        """Who has the session with this cookie; None where nobody has, any more."""
        ...

    def of_token(self, token: str) -> SignedIn | None:
        """Who has this API token; None where nobody has, any more."""
        ...
