"""The books of an import in a data folder: its device book, and the keeper of passwords. Nothing is made where nothing is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping

from lamppost.base.clock import Clock
from lamppost.model.layout import DataFolder
from lamppost.model.origin import NAMES, origin_from
from lamppost.model.origin import Origin as KnownOrigin
from lamppost.pipeline.camera_import import Origin
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.store.device_book import DeviceBook


class FolderBooks:
    """As `import_books.ImportBooks` says; a dry run leaves no file behind."""

    def __init__(self, folder: DataFolder, clock: Clock) -> None:
        self._folder = folder
        self._keeper = CredentialKeeper(folder, clock)
        self._book: DeviceBook | None = None
        self._mutex = threading.Lock()

    def close(self) -> None:
        self._keeper.close()
        with self._mutex:
            if self._book is not None:
                self._book.close()
            self._book = None

    def keep_all(self, passwords: Mapping[str, str]) -> Mapping[str, str]:
        return self._keeper.keep_all(passwords)

    def forget_all(self, credentials: Collection[str]) -> None:
        self._keeper.forget_all(credentials)

    def password(self, credential: str, camera: str) -> str:
        return self._keeper.password(credential, camera)

    def origins(self) -> Mapping[str, Origin]:
        if not self._is_there():
            return {}
        return {camera: _said(row.origin) for camera, row in self._opened().origins().items()}

    def set_origins(self, origins: Mapping[str, Origin]) -> None:
        if origins:
            self._opened().set_origins({camera: origin_from(origin) for camera, origin in origins.items()})

    def profiles(self) -> Mapping[str, Mapping[str, str]]:
        return self._opened().import_profiles() if self._is_there() else {}

    def set_profile(self, name: str, fields: Mapping[str, str], first: Callable[[], object]) -> None:
        self._opened().set_import_profile(name, fields, first=first)

    def remove_profile(self, name: str, first: Callable[[], object]) -> bool:
        return self._is_there() and self._opened().remove_import_profile(name, first=first)

    def _is_there(self) -> bool:
        return self._folder.devices.is_file()

    def _opened(self) -> DeviceBook:
        with self._mutex:
            if self._book is None:
                self._book = DeviceBook(self._folder)
            return self._book


def _said(origin: KnownOrigin) -> Origin:
    return {name: value for name in NAMES if (value := getattr(origin, name)) not in ("", None)}
