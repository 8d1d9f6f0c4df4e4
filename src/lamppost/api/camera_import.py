"""Many cameras from one table: looked at first, then written whole or not at all; and the profiles that fill what rows leave out."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from lamppost.api.context import Context
from lamppost.api.editing import change_configuration, config_path
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Mistake, Problem, not_found
from lamppost.base.errors import ConfigError
from lamppost.model.access import Permission
from lamppost.pipeline.camera_import import Action, ImportPlan, Options, kept_passwords, put
from lamppost.pipeline.camera_table import MOST_ROWS
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.folder_books import FolderBooks
from lamppost.pipeline.import_books import ImportBooks, planned
from lamppost.pipeline.import_profiles import check_profile

router = APIRouter()

ChiefEditor = Annotated[Identity, Depends(Permit(Permission.EDIT_CAMERAS, everywhere=True))]
_LONGEST: Final = 1 << 20


class CameraTableBody(BaseModel):
    """A table of cameras. A request holds 1 MiB at most, which is enough for some thousand cameras."""

    model_config = ConfigDict(extra="forbid")

    csv: str = Field(max_length=_LONGEST, description=f"The text of the file: a header, and up to {MOST_ROWS} rows.")
    profile: str | None = Field(default=None, max_length=63, description="Fills what rows leave out.")
    dry_run: bool = Field(description="True: only look.")
    update: bool = Field(default=False, description="Whether cameras that are there may be changed.")


class TableError(BaseModel):
    """Something that is wrong in the table."""

    line: int = Field(description="From 1, as an editor counts.")
    column: str = Field(description="Empty where it is none alone.")
    problem: str
    remedy: str


class TableCamera(BaseModel):
    """A row, and what becomes of it."""

    line: int
    name: str
    url: str = Field(description="Without user and password.")
    site: str
    action: Action


class CameraTableResult(BaseModel):
    """What an import did, or would do."""

    dry_run: bool
    rows: int
    added: int
    changed: int
    unchanged: int
    errors: list[TableError] = Field(description="Of all rows, by line; where there is one, nothing is written.")
    cameras: list[TableCamera] = Field(description="Of a dry run: the rows without mistakes.")


class ProfileBody(BaseModel):
    """A profile."""

    model_config = ConfigDict(extra="forbid")

    fields: dict[str, str] = Field(max_length=64, description="By column, as it would stand in a table.")


class ImportProfile(ProfileBody):
    """A profile with its name."""

    name: str


class ImportProfiles(BaseModel):
    """All of them, by name."""

    items: list[ImportProfile]


@router.post("/cameras/import")
def import_cameras(body: CameraTableBody, identity: ChiefEditor) -> CameraTableResult:
    """Add the cameras of a table to the configuration, all of them or none. A dry run finds every mistake, and changes nothing.

    Where the table has mistakes and it is no dry run, the answer is 422, with all of them.
    """
    context = identity.context
    config, books = config_path(context), _books(context)
    options = Options(profile=_profile(books, body.profile), may_update=body.update)
    # A half of a character, which JSON may hold, becomes what is no UTF-8.
    content = body.csv.encode("utf-8", "surrogatepass")
    plan, planned_on = planned(content, config, options, books)
    told: dict[str, Any] = plan.to_json() | {"dry_run": body.dry_run}
    if body.dry_run:
        return CameraTableResult.model_validate(told)
    if plan.problems:
        raise _mistaken(plan)
    if plan.has_work:
        _write(identity, plan, planned_on, books)
    return CameraTableResult.model_validate(told | {"cameras": []})  # short, so that it is kept for who asks again


@router.get("/import-profiles")
def list_profiles(identity: ChiefEditor) -> ImportProfiles:
    """The profiles."""
    profiles = _books(identity.context).profiles()
    return ImportProfiles(items=[ImportProfile(name=name, fields=dict(profiles[name])) for name in sorted(profiles)])


@router.put("/import-profiles/{profile}")
def put_profile(profile: str, body: ProfileBody, identity: ChiefEditor) -> ImportProfile:
    """Make a profile, or another of it."""
    context, books = identity.context, _books(identity.context)
    fields = check_profile(profile, body.fields)
    books.set_profile(profile, fields, lambda: context.act("import_profile_changed", identity.name, profile, {"fields": fields}))
    return ImportProfile(name=profile, fields=fields)


@router.delete("/import-profiles/{profile}", status_code=HTTPStatus.NO_CONTENT)
def remove_profile(profile: str, identity: ChiefEditor) -> None:
    """Remove a profile; cameras that were made with it stay as they are."""
    context = identity.context
    books = _books(context)
    if not books.remove_profile(profile, lambda: context.act("import_profile_changed", identity.name, profile, {"removed": True})):
        raise not_found("import profile")


def _write(identity: Identity, plan: ImportPlan, planned_on: ConfigFile, books: ImportBooks) -> None:
    context = identity.context

    def change(file: ConfigFile) -> None:
        if file.revision() != planned_on.revision():
            detail = "the configuration was changed by somebody else just now"
            raise Problem(HTTPStatus.CONFLICT, detail, kind="changed", remedy="look at the table anew")
        put(plan, file, credentials)

    def on_record(_: None) -> None:
        context.journal.append_all(plan.acts(identity.name, context.clock))

    with kept_passwords(plan, books) as credentials:
        if plan.added or plan.changed or credentials:
            change_configuration(context, change, first=on_record)
        else:
            on_record(None)
    books.set_origins(plan.origins)


def _books(context: Context) -> ImportBooks:
    return context.keep(FolderBooks, lambda: FolderBooks(context.folder, context.clock))


def _profile(books: ImportBooks, name: str | None) -> dict[str, str]:
    if name is None:
        return {}
    found = books.profiles().get(name)
    if found is None:
        raise not_found("import profile")
    return dict(found)


def _mistaken(plan: ImportPlan) -> Problem:
    mistakes = [
        Mistake(at=f"body.csv.{each.line}.{each.column}".rstrip("."), problem=str(ConfigError(each.problem, remedy=each.remedy)))
        for each in plan.problems
    ]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the table has mistakes; nothing was written", kind="invalid", errors=mistakes)
