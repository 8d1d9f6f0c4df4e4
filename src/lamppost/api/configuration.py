"""What an operator may set while it runs, and what all of it is; never a secret."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lamppost.api.camera_addresses import shown
from lamppost.api.context import Context
from lamppost.api.editing import change_configuration, etag_of, invalid
from lamppost.api.etags import require_match
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem
from lamppost.model.access import Permission
from lamppost.model.carriers import NOTIFY_FILES
from lamppost.model.settings import Settings
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.credentials import has_password
from lamppost.pipeline.new_address import STREAM_ADDRESSES

TABLES: Final = ("masking", "retention", "analysis", "recording")
WORDS: Final = ("site", "timezone")

router = APIRouter()

Value = Annotated[str, Field(max_length=200)] | int | float | None


class Configuration(BaseModel):
    """The whole configuration, by table; what stands nowhere has its default here."""

    tables: dict[str, Any] = Field(
        description="As in the reference of the configuration. In place of passwords, secrets and the files with them there are "
        "`has_password`, `has_secret`, `has_urls`."
    )
    etag: str | None = Field(description="Send it as `If-Match` with a change; null where there is no configuration file.")


class ConfigurationChange(BaseModel):
    """Settings that are to be different from now on; null takes one out, so that its default holds."""

    model_config = ConfigDict(extra="forbid")

    masking: dict[str, Value] = Field(default_factory=dict[str, Value], description="Settings of `[masking]`.")
    retention: dict[str, Value] = Field(default_factory=dict[str, Value], description="Settings of `[retention]`.")
    analysis: dict[str, Value] = Field(default_factory=dict[str, Value], description="Settings of `[analysis]`.")
    recording: dict[str, Value] = Field(default_factory=dict[str, Value], description="Settings of `[recording]`.")
    site: str | None = Field(default=None, max_length=100)
    timezone: str | None = Field(default=None, max_length=100)

    def keys(self) -> list[str]:
        """What is to be changed, as `table.key`."""
        in_tables = [f"{table}.{key}" for table in TABLES for key in getattr(self, table)]
        return [*in_tables, *(word for word in WORDS if word in self.model_fields_set)]


@router.get("/configuration")
def show_configuration(identity: Annotated[Identity, Depends(Permit(Permission.SEE_CONFIGURATION))], response: Response) -> Configuration:
    """Everything that is set, as it stands in the file; it holds within seconds."""
    return _shown(identity.context, response)


@router.patch("/configuration")
def set_configuration(
    body: ConfigurationChange,
    request: Request,
    response: Response,
    identity: Annotated[Identity, Depends(Permit(Permission.EDIT_CONFIGURATION))],
) -> Configuration:
    """Change settings; the whole configuration is checked before anything is written. Needs `If-Match`."""
    context, keys = identity.context, body.keys()
    if not keys:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "nothing to change was given", kind="invalid")

    def change(file: ConfigFile) -> None:
        require_match(request, etag_of(file.revision()))
        _check(file.before, body)
        for table in TABLES:
            fields = getattr(body, table)
            if fields:
                file.set_table(table, fields)
        file.set_top({word: getattr(body, word) or None for word in WORDS if word in body.model_fields_set})
        file.settings()

    change_configuration(
        context, change, first=lambda _none: context.act("configuration_changed_by", identity.name, "node", {"keys": keys})
    )
    return _shown(context, response)


def _check(before: Settings, body: ConfigurationChange) -> None:
    """Raises 422 with each mistake at its place."""
    wanted = before.model_dump(exclude={"camera", "notify"})
    for table in TABLES:
        given: dict[str, Any] = getattr(body, table)
        kept = {key: value for key, value in wanted[table].items() if key not in given}
        wanted[table] = kept | {key: value for key, value in given.items() if value is not None}
    wanted |= {word: getattr(body, word) or Settings.model_fields[word].default for word in WORDS if word in body.model_fields_set}
    try:
        Settings.model_validate(wanted)
    except ValidationError as error:
        raise invalid(error, Settings, at=("body",)) from error


def _shown(context: Context, response: Response) -> Configuration:
    if context.config is None:
        return Configuration(tables=_tables(context.settings), etag=None)
    file = ConfigFile(context.config)
    etag = etag_of(file.revision())
    response.headers["ETag"] = etag
    return Configuration(tables=_tables(file.before), etag=etag)


def _tables(settings: Settings) -> dict[str, Any]:
    tables = settings.model_dump(mode="json", exclude={"camera", "notify"})
    cameras: list[dict[str, Any]] = []
    for camera in settings.camera:
        table = camera.model_dump(mode="json", exclude={"password", "password_file", "credential", "rules"})
        table |= {key: shown(table[key]) for key in STREAM_ADDRESSES if table[key] is not None}
        cameras.append(table | {"has_password": has_password(camera)})
    carriers: list[dict[str, Any]] = []
    for carrier in settings.notify:
        table = carrier.model_dump(mode="json", exclude={*NOTIFY_FILES, "url"})
        has = {f"has_{key.removesuffix('_file')}": getattr(carrier, key) is not None for key in NOTIFY_FILES}
        carriers.append(table | has | {"target": carrier.address if carrier.url is not None else None})
    return tables | {"camera": cameras, "notify": carriers}
