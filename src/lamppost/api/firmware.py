"""Which firmware runs on the cameras, and what is known against it and its makers. It informs, and refuses nothing."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from lamppost.api.editing import on_record
from lamppost.api.moments import Time
from lamppost.api.permit import Identity, Permit
from lamppost.model.access import Permission
from lamppost.model.firmware_list import AdvisoryState, Applying, FirmwareList
from lamppost.pipeline.firmware import CameraFirmware, inventory, list_in_force, update_list

router = APIRouter()


class AdvisoryNotice(BaseModel):
    """Something that is known against the firmware of a camera."""

    id: str
    title: str
    severity: str = Field(description="`low`, `medium`, `high`, `critical`, or `unknown`.")
    state: AdvisoryState = Field(description="`affected`, or `unknown`: whether it is affected cannot be told from here.")
    fixed_in: str
    url: str


class BanNotice(BaseModel):
    """Rules of buying that name the maker of a camera."""

    list: str
    entry: str
    note: str


class FirmwareItem(BaseModel):
    """A camera, its firmware, and what is known against it. Where `vendor` or `firmware` is empty, nothing can be told."""

    camera: str
    site: str
    vendor: str
    model: str
    firmware: str
    seen: Time | None = Field(description="When the device said so; null where it never did, and the record of its origin speaks.")
    advisories: list[AdvisoryNotice]
    bans: list[BanNotice]


class ListInUse(BaseModel):
    """The list that what is known was taken from."""

    name: str
    published: date
    updated: Time | None = Field(description="When somebody gave it; null for the one that came with Lamppost.")
    advisories: int
    bans: int


class Firmware(BaseModel):
    """The firmware of the cameras that who asks may see."""

    items: list[FirmwareItem]
    list: ListInUse


class ListGiven(BaseModel):
    """What the new list holds."""

    advisories: int
    bans: int


@router.get("/firmware")
def list_firmware(identity: Annotated[Identity, Depends(Permit(Permission.SEE_CAMERAS))]) -> Firmware:
    """The firmware of every camera that one may see, with advisories and lists of rules of buying that are about it.

    One that is not named here is not safe because of that: the list knows few, and old, weaknesses.
    """
    context = identity.context
    force = list_in_force(context.devices)
    cameras = inventory(context.settings, context.devices, force.known, identity.cameras(Permission.SEE_CAMERAS))
    return Firmware(
        items=[_item(camera) for camera in cameras],
        list=ListInUse(
            name=force.known.name,
            published=force.known.published,
            updated=force.updated_us,
            advisories=len(force.known.advisories),
            bans=len(force.known.bans),
        ),
    )


@router.put("/firmware/list")
def set_firmware_list(body: FirmwareList, identity: Annotated[Identity, Depends(Permit(Permission.EDIT_CONFIGURATION))]) -> ListGiven:
    """Replace the list of known firmware; it needs no network. Its JSON Schema is published with the reference."""
    context = identity.context
    given = ListGiven(advisories=len(body.advisories), bans=len(body.bans))
    detail = {"name": body.name, "published": body.published.isoformat(), **given.model_dump()}
    first = on_record(lambda: context.act("firmware_list_changed", identity.name, "node", detail))
    update_list(context.devices, body, context.clock.wall_us(), first=first)
    return given


def _item(camera: CameraFirmware) -> FirmwareItem:
    return FirmwareItem(
        camera=camera.camera,
        site=camera.site,
        vendor=camera.vendor,
        model=camera.model,
        firmware=camera.firmware,
        seen=camera.seen_us,
        advisories=[_notice(each) for each in camera.advisories],
        bans=[BanNotice(list=ban.list, entry=ban.entry, note=ban.note) for ban in camera.bans],
    )


def _notice(applying: Applying) -> AdvisoryNotice:
    advisory = applying.advisory
    return AdvisoryNotice(
        id=advisory.id,
        title=advisory.title,
        severity=advisory.severity,
        state=applying.state,
        fixed_in=advisory.fixed_in,
        url=advisory.url,
    )
