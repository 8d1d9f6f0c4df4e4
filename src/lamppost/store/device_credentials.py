"""Passwords of cameras in the device book, each unreadable without the key that lies elsewhere; here nobody opens them."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Generator
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, insert, select

from lamppost.store.book_file import BookFile, First, nothing
from lamppost.store.device_tables import CAMERA_KEY, CREDENTIALS


@dataclass(frozen=True, slots=True)
class Credential:
    """A password, sealed."""

    credential_id: str
    camera: str
    key_id: str
    sealed: bytes
    kept_us: int


class CredentialChange:
    """Credentials while nobody else changes them: what is done here is done when the block ends, or undone where it raises."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def key_id(self) -> str | None:
        """Which key is the one; None before the first."""
        return self._connection.execute(select(CAMERA_KEY.c.key_id)).scalar_one_or_none()

    def use_key(self, key_id: str) -> None:
        self._connection.execute(delete(CAMERA_KEY))
        self._connection.execute(insert(CAMERA_KEY).values(number=1, key_id=key_id))

    def all(self) -> tuple[Credential, ...]:
        return tuple(_credential(row) for row in self._connection.execute(select(CREDENTIALS).order_by(CREDENTIALS.c.credential_id)))

    def put(self, credentials: Collection[Credential]) -> None:
        """Add them, in place of those of the same number."""
        if credentials:
            self.forget([credential.credential_id for credential in credentials])
            self._connection.execute(insert(CREDENTIALS), [asdict(credential) for credential in credentials])

    def forget(self, credential_ids: Collection[str]) -> None:
        for credential_id in credential_ids:
            self._connection.execute(delete(CREDENTIALS).where(CREDENTIALS.c.credential_id == credential_id))


class DeviceCredentials(BookFile):
    """The part of the device book that has the passwords; see `device_book.DeviceBook`."""

    def credential(self, credential_id: str) -> Credential | None:
        rows = self._all(select(CREDENTIALS).where(CREDENTIALS.c.credential_id == credential_id))
        return _credential(rows[0]) if rows else None

    def credentials(self) -> tuple[Credential, ...]:
        """All, by number."""
        return tuple(_credential(row) for row in self._all(select(CREDENTIALS).order_by(CREDENTIALS.c.credential_id)))

    def forget_credentials(self, credential_ids: Collection[str]) -> None:
        """Those that are not there are fine."""
        if credential_ids:
            with self.changing_credentials() as change:
                change.forget(credential_ids)

    @contextlib.contextmanager
    def changing_credentials(self, *, first: First = nothing) -> Generator[CredentialChange]:
        """One transaction; whoever else changes something waits. `first` is called at its end."""
        with self._write("change passwords of cameras") as connection:
            yield CredentialChange(connection)
            first()


def _credential(row: object) -> Credential:
    names = ("credential_id", "camera", "key_id", "sealed", "kept_us")
    return Credential(**{name: getattr(row, name) for name in names})
