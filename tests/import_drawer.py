"""The books of an import without a disk: passwords in the open, origins and profiles, for tests of what is around them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from lamppost.pipeline.camera_import import Origin


class Drawer:
    """What `FolderBooks` are, kept in memory; closing it does nothing."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.known: dict[str, Origin] = {}
        self.profile: dict[str, Mapping[str, str]] = {}
        self.numbers = 0

    def close(self) -> None:
        return

    def keep_all(self, passwords: Mapping[str, str]) -> Mapping[str, str]:
        numbers = {name: f"{self.numbers + number:016x}" for number, name in enumerate(passwords, 1)}
        self.numbers += len(passwords)
        self.kept |= {numbers[name]: word for name, word in passwords.items()}
        return numbers

    def forget_all(self, credentials: Collection[str]) -> None:
        for each in credentials:
            del self.kept[each]

    def password(self, credential: str, camera: str) -> str:
        return self.kept[credential]

    def origins(self) -> Mapping[str, Origin]:
        return self.known

    def set_origins(self, origins: Mapping[str, Origin]) -> None:
        self.known |= origins

    def profiles(self) -> Mapping[str, Mapping[str, str]]:
        return self.profile

    def set_profile(self, name: str, fields: Mapping[str, str], first: Callable[[], object]) -> None:
        first()
        self.profile[name] = fields

    def remove_profile(self, name: str, first: Callable[[], object]) -> bool:
        if name not in self.profile:
            return False
        first()
        del self.profile[name]
        return True
