"""One masked MP4 of an interval, to take away: an act on the record, with the hash of what was taken."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Generator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from lamppost.api.file_answers import HeldAnswer
from lamppost.api.past import UNKEPT, From, To, ViewId, forgotten, interval, nothing_there, past_of, require_view, stretch_of
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Mistake, Problem
from lamppost.api.view_book import KeptView
from lamppost.base.clock import format_utc
from lamppost.base.ids import compact_utc
from lamppost.model.access import Permission
from lamppost.playback.clips import LONGEST_CLIP_US, Clip, FilesGone, NothingThere, SizesDiffer, TooManyFiles, make_clip
from lamppost.store.intervals import Span

router = APIRouter()
Exporter = Annotated[Identity, Depends(Permit(Permission.EXPORT))]


@router.get(
    "/cameras/{camera}/clip.mp4",
    response_class=Response,
    responses={
        200: {"content": {"video/mp4": {}}},
        409: {"description": "The size of the picture changes within; the parts of one size are told."},
        429: {"description": "The caller is taking a clip already, or four others are."},
    },
    summary="A masked clip to take away",
)
def clip(camera: str, from_: From, to: To, view: ViewId, identity: Exporter) -> Response:
    """An hour at most; gaps are left out and told in the file. `Repr-Digest` is the SHA-256 that stands in the act."""
    span = interval(from_, to, LONGEST_CLIP_US, "a clip")
    looking = require_view(identity, view, camera, *span)
    slots, user = past_of(identity.context).clips, identity.signed_in.user_id
    if not slots.take(user):
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "you or others are taking clips just now",
            kind="busy",
            remedy="ask again when yours is there",
            headers={"Retry-After": "5"},
        )
    with contextlib.ExitStack() as undo:
        undo.callback(slots.release, user)
        with _told(camera):
            made = undo.enter_context(make_clip(stretch_of(identity.context, camera, span)))
        sha256 = made.sha256()
        # Before the first byte leaves: what was taken stands in the record, whatever becomes of the transfer.
        identity.context.act("clip_exported", identity.name, camera, _detail(camera, span, looking, made, sha256))
        name = f"{camera}-{compact_utc(span[0])}-{compact_utc(span[1])}-masked.mp4"
        headers = {
            **UNKEPT,
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(made.size_bytes),
            "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:",
        }
        return HeldAnswer(made.blocks(), undo.pop_all().close, media_type="video/mp4", headers=headers)


def _detail(camera: str, span: Span, looking: KeptView, made: Clip, sha256: str) -> dict[str, object]:
    return {
        "camera": camera,
        "view": looking.view_id,
        "from": format_utc(span[0]),
        "to": format_utc(span[1]),
        "reason": looking.reason,
        "sha256": sha256,
        "bytes": made.size_bytes,
        "gaps": len(made.holes),
    }


@contextlib.contextmanager
def _told(camera: str) -> Generator[None]:
    """Turn what keeps a clip from being made into a problem that says what can be done."""
    try:
        yield
    except NothingThere as error:
        raise nothing_there() from error
    except FilesGone as error:
        raise forgotten() from error
    except TooManyFiles as error:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "the interval lies in more files than are opened at once",
            kind="interval",
            remedy="ask for a shorter one",
        ) from error
    except SizesDiffer as error:
        spans = [
            Mistake(at=f"{format_utc(start)}/{format_utc(end)}", problem=f"{width}x{height} pixels")
            for (start, end), width, height in error.spans
        ]
        raise Problem(
            HTTPStatus.CONFLICT,
            f"the picture of camera {camera} changes its size within this time, and a clip has one size",
            kind="sizes-differ",
            remedy="take one clip of each part",
            errors=spans,
        ) from error
