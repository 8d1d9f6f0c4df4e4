"""Copies of the books, in the folder that the configuration names."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from lamppost.api.context import Context, context_of
from lamppost.api.moments import Time
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem
from lamppost.base.clock import US_PER_S
from lamppost.base.errors import StoreError
from lamppost.model.access import Permission
from lamppost.pipeline.backups import back_up
from lamppost.store.backup import PREFIX, SUFFIX

router = APIRouter()
_Context = Annotated[Context, Depends(context_of)]


class Backup(BaseModel):
    """A backup in the folder. Its file never passes through here: it holds the recorder's signing key, and who may sign in."""

    file: str
    made: Time
    size_bytes: int


class Backups(BaseModel):
    """All backups in the folder, newest first; `folder` is null where none is configured."""

    folder: str | None
    items: list[Backup]


@router.get("/backups", dependencies=[Depends(Permit(Permission.OPERATE))])
def list_backups(context: _Context) -> Backups:
    """What lies in the backup folder."""
    folder = context.settings.server.backup_folder
    if folder is None:
        return Backups(folder=None, items=[])
    try:
        paths = sorted(folder.glob(f"{PREFIX}*{SUFFIX}"), reverse=True)
        return Backups(folder=str(folder), items=[_backup(path) for path in paths])
    except OSError as error:
        raise StoreError(f"the backup folder {folder} cannot be read: {error.strerror}", remedy="is it mounted?") from error


@router.post("/backups", status_code=HTTPStatus.CREATED)
def make_backup(identity: Annotated[Identity, Depends(Permit(Permission.OPERATE))], context: _Context) -> Backup:
    """Back up index, journals, users, keys and configuration now; the vault and footage are never in it."""
    folder = context.settings.server.backup_folder
    if folder is None or context.config is None:
        raise Problem(HTTPStatus.CONFLICT, "no backup folder is configured", kind="no-folder", remedy="set backup_folder in [server]")
    if not folder.is_dir():
        raise Problem(HTTPStatus.CONFLICT, f"there is no folder {folder}", kind="no-folder", remedy="make it, or mount its disk")
    context.act("backup_ordered", identity.name, "node", {"folder": str(folder)})
    return _backup(back_up(context.folder, folder, config=context.config, keep=None).path)


def _backup(path: Path) -> Backup:
    status = path.stat()
    return Backup(file=path.name, made=round(status.st_mtime * US_PER_S), size_bytes=status.st_size)
