"""What is hidden, what is kept and for how long, in figures; the console puts them into plain words."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from lamppost.api.context import Context, context_of
from lamppost.api.moments import Time
from lamppost.api.node import Custodians, custodians_of
from lamppost.api.permit import AnySignedIn, Identity
from lamppost.model.access import Permission
from lamppost.model.vision import Preset

router = APIRouter()


class MaskedCamera(BaseModel):
    """What is masked of a camera that the caller may see, and for how long it is kept."""

    camera: str
    preset: Preset
    counts: bool = Field(description="Whether lines or zones are counted in.")
    sealed_days: float
    masked_days: float


class Kept(BaseModel):
    """For how many days what is kept."""

    sealed_days: float
    masked_days: float
    counts_days: float
    rollup_days: float
    events_days: float


class Privacy(BaseModel):
    """Everything that the page about privacy tells."""

    cameras: list[MaskedCamera]
    retention: Kept
    look_back_s: float
    custodians: Custodians
    holds: int = Field(description="How many are in force.")
    last_destroyed: Time | None = Field(description="When retention last destroyed keys of originals; null where it never did.")
    lines: list[str] = Field(description="What Lamppost never does, by key: the console has a sentence for each.")


NEVER = ("faces", "plates", "following", "appearance", "guessing", "unmasked")


@router.get("/privacy")
def privacy(identity: Annotated[Identity, Depends(AnySignedIn())], context: Annotated[Context, Depends(context_of)]) -> Privacy:
    """What is masked, kept and forgotten; what never happens."""
    settings, kept = context.settings, context.settings.retention
    seen = set(identity.cameras(Permission.SEE_CAMERAS))
    return Privacy(
        cameras=[
            MaskedCamera(
                camera=camera.name,
                preset=camera.preset or settings.masking.preset,
                counts=camera.rules is not None and not camera.rules.is_empty,
                sealed_days=kept.sealed_days if camera.sealed_days is None else camera.sealed_days,
                masked_days=kept.masked_days if camera.masked_days is None else camera.masked_days,
            )
            for camera in settings.camera
            if camera.name in seen
        ],
        retention=Kept.model_validate(kept.model_dump(include=set(Kept.model_fields))),
        look_back_s=settings.masking.look_back_s,
        custodians=custodians_of(context),
        holds=len(context.index.holds(is_active=True)),
        last_destroyed=context.index.last_destroyed_us(),
        lines=list(NEVER),
    )
