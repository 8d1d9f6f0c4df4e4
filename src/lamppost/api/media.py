"""Masked segments for players: parts, playlists, thumbnails, and the bytes themselves."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from lamppost.api.file_answers import HeldAnswer, NotSatisfiable, read_range
from lamppost.api.moments import Moment, Time, us_of
from lamppost.api.past import (
    DAY_US,
    LONGEST_US,
    UNKEPT,
    From,
    To,
    ViewId,
    forgotten,
    interval,
    nothing_there,
    past_of,
    require_view,
    stretch_of,
    too_many_pictures,
    view_required,
    views_of,
)
from lamppost.api.permit import API, Identity, Permit
from lamppost.api.problems import Problem, forbidden, not_found
from lamppost.base.clock import US_PER_S
from lamppost.model.access import Permission
from lamppost.playback.parts import SegmentParts
from lamppost.playback.playlist import write_playlist
from lamppost.playback.segment_bytes import blocks_of, open_segment, shifted
from lamppost.playback.stretch import Piece
from lamppost.playback.thumbnails import LEAST_WIDTH_PX, MOST_WIDTH_PX, Thumbnail
from lamppost.playback.turns import TooManyPictures
from lamppost.store.index import Interval
from lamppost.store.intervals import Span

router = APIRouter()
LONGEST_MEDIA_US: Final = 2 * 3600 * US_PER_S
_MOST_SHIFT: Final = LONGEST_US * 9 // 100
Watcher = Annotated[Identity, Depends(Permit(Permission.WATCH_PAST))]


class Bytes(BaseModel):
    """Some bytes of a file."""

    offset: int
    length: int


class Fragment(NamedTuple):
    """A whole fragment of a file: where it lies, when its first picture was taken, and its place on the file's timeline."""

    offset: int
    length: int
    from_ms: int
    duration_ms: int
    decode_90k: int
    frames: int


class MediaPart(BaseModel):
    """One file: `init` first, then its fragments, each of them whole; the first begins with a keyframe."""

    id: str
    mime: str = Field(description="As `MediaSource.isTypeSupported` takes it.")
    init: Bytes
    url: str = Field(description="Ask it for ranges of bytes.")
    from_us: Time = Field(serialization_alias="from")
    to_us: Time = Field(serialization_alias="to")
    fragments: list[Fragment] = Field(description="`[offset, length, from_ms (since 1970), duration_ms, decode_90k, frames]`.")


class MediaGap(BaseModel):
    """A time without an intact recording."""

    from_us: Time = Field(serialization_alias="from")
    to_us: Time | None = Field(serialization_alias="to")
    cause: str


class MediaCover(BaseModel):
    """A time in which the pictures are covered whole."""

    from_us: Time = Field(serialization_alias="from")
    to_us: Time | None = Field(serialization_alias="to")


class Media(BaseModel):
    """All that a player needs for an interval."""

    camera: str
    from_us: Time = Field(serialization_alias="from")
    to_us: Time = Field(serialization_alias="to")
    parts: list[MediaPart]
    gaps: list[MediaGap]
    covered: list[MediaCover]


@router.get("/cameras/{camera}/media", response_model=Media, summary="What a player needs for an interval")
def media(camera: str, from_: From, to: To, view: ViewId, identity: Watcher) -> Media:
    """Two hours at most. The first fragment begins with the keyframe at or before `from`."""
    span = interval(from_, to, LONGEST_MEDIA_US, "what a player is told at once")
    require_view(identity, view, camera, *span)
    footage = past_of(identity.context).footage
    return Media(
        camera=camera,
        from_us=span[0],
        to_us=span[1],
        parts=[_part(piece, view) for piece in stretch_of(identity.context, camera, span).pieces],
        gaps=[_gap(gap) for gap in footage.gaps(camera, *span)],
        covered=[MediaCover(from_us=each.start_us, to_us=each.end_us) for each in footage.covered(camera, *span)],
    )


@router.get(
    "/cameras/{camera}/playlist.m3u8",
    response_class=Response,
    responses={200: {"content": {"application/vnd.apple.mpegurl": {}}}},
    summary="An interval for players of HLS",
)
def playlist(
    camera: str,
    from_: From,
    to: To,
    view: ViewId,
    identity: Watcher,
    gaps: Annotated[
        bool, Query(description="Tell holes as `EXT-X-GAP`, which not every player knows; they are passed over otherwise.")
    ] = False,
) -> Response:
    """A day at most. Its addresses carry the view, and need the same cookie or token."""
    span = interval(from_, to, DAY_US, "a playlist")
    require_view(identity, view, camera, *span)
    stretch = stretch_of(identity.context, camera, span)
    if not stretch.pieces:
        raise nothing_there()
    text = write_playlist(stretch, lambda segment, shift: f"../../segments/{segment}.mp4?view={view}&shift={shift}", tells_gaps=gaps)
    return Response(text, media_type="application/vnd.apple.mpegurl", headers=UNKEPT)


@router.get(
    "/cameras/{camera}/thumbnail.jpg",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
    summary="A small masked picture of a moment",
)
def thumbnail(
    camera: str,
    at: Annotated[Moment, Query(description="The keyframe at this moment or before it is shown.")],
    view: ViewId,
    identity: Watcher,
    width: Annotated[int, Query(ge=LEAST_WIDTH_PX, le=MOST_WIDTH_PX, description="In pixels.")] = 160,
) -> Response:
    """What was covered is shown as it is: covered."""
    at_us = us_of(at)
    require_view(identity, view, camera, at_us, at_us)
    return picture_answer(picture_at(identity, camera, at_us, width))


def picture_at(identity: Identity, camera: str, at_us: int, width_px: int) -> Thumbnail:
    """The masked picture of a moment; raises a problem where there is none, or too many are asked for."""
    try:
        found = past_of(identity.context).thumbnails.at(camera, at_us, width_px)
    except TooManyPictures as error:
        raise too_many_pictures() from error
    if found is None:
        raise nothing_there()
    return found


def picture_answer(found: Thumbnail) -> Response:
    """The picture; a header tells when it was taken, in milliseconds since 1970."""
    return Response(found.jpeg, media_type="image/jpeg", headers={**UNKEPT, "X-Taken-Ms": str(found.wall_us // 1000)})


@router.head("/segments/{segment}.mp4", response_class=Response, include_in_schema=False)
@router.get(
    "/segments/{segment}.mp4",
    response_class=Response,
    responses={
        200: {"content": {"video/mp4": {}}},
        206: {"content": {"video/mp4": {}}},
        304: {"description": "It is as the caller knows it."},
        410: {"description": "It was deleted meanwhile."},
        416: {"description": "The file has no such bytes."},
    },
    summary="Bytes of a masked file",
)
def segment_bytes(
    segment: str,
    view: ViewId,
    identity: Watcher,
    request: Request,
    shift: Annotated[int, Query(ge=-_MOST_SHIFT, le=_MOST_SHIFT, description="Added to all its times, in ticks of 1/90000 s.")] = 0,
) -> Response:
    """The header, and fragments of the time that the view holds; of a file that reaches beyond it the rest is refused."""
    file, allowed = _file_of(identity, segment, view)
    size_bytes, tag = file.segment.size_bytes, f'"{segment}-{file.segment.size_bytes}-{shift}"'
    headers = {**UNKEPT, "Accept-Ranges": "bytes", "ETag": tag}
    if request.headers.get("if-none-match") in (tag, "*"):
        return Response(status_code=HTTPStatus.NOT_MODIFIED.value, headers=headers)
    asked = request.headers.get("range", "") if request.headers.get("if-range", tag) == tag else ""
    try:
        found = read_range(asked, size_bytes)
    except NotSatisfiable as error:
        raise Problem(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "the file has no such bytes", headers={"Content-Range": f"bytes */{size_bytes}"}
        ) from error
    start, end = found or (0, size_bytes)
    if not _is_within((start, end), allowed):
        raise view_required()
    if any(part.decode_90k + shift < 0 and start < part.offset + part.length and part.offset < end for part in file.parts):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "this shift would put a picture before the beginning", kind="invalid")
    if found is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size_bytes}"
    headers["Content-Length"] = str(end - start)
    status = HTTPStatus.OK if found is None else HTTPStatus.PARTIAL_CONTENT
    opened = open_segment(file)
    if opened is None:
        raise forgotten()
    if request.method == "HEAD":
        opened.close()
        return Response(status_code=status.value, headers=headers, media_type="video/mp4")
    blocks = blocks_of(opened, start, end - start)
    if shift:
        blocks = shifted(blocks, start, file, shift)
    return HeldAnswer(blocks, opened.close, media_type="video/mp4", headers=headers, status=status)


def _file_of(identity: Identity, segment_id: str, view_id: str) -> tuple[SegmentParts, tuple[Span, ...]]:
    """A masked file, and the bytes of it that the caller may have."""
    past = past_of(identity.context)
    segment = past.footage.segment(segment_id)
    if segment is None or not identity.may(Permission.SEE_CAMERAS, segment.camera):
        raise not_found("segment")
    if not identity.may(Permission.WATCH_PAST, segment.camera):
        raise forbidden(f"you may not do this with camera {segment.camera}")
    view = views_of(identity.context).find(view_id, identity.signed_in.user_id)
    if view is None or segment.camera not in view.cameras:
        raise view_required()
    file = past.shelf.of(segment)
    if file is None:
        raise forgotten()
    parts = file.within(view.from_us, view.to_us)
    if not parts:
        raise view_required()
    return file, ((0, segment.header_bytes), (parts[0].offset, parts[-1].offset + parts[-1].length))


def _is_within(asked: Span, allowed: tuple[Span, ...]) -> bool:
    header, window = allowed
    if header[1] >= window[0]:
        return asked[1] <= window[1]
    return asked[1] <= header[1] or (window[0] <= asked[0] and asked[1] <= window[1])


def _part(piece: Piece, view_id: str) -> MediaPart:
    segment, pictures = piece.file.segment, piece.file.pictures
    fragments = [
        Fragment(part.offset, part.length, part.start_us // 1000, part.duration_90k // 90, part.decode_90k, part.frames)
        for part in piece.parts
    ]
    return MediaPart(
        id=segment.segment_id,
        mime=f'video/mp4; codecs="{pictures.codec}"',
        init=Bytes(offset=0, length=segment.header_bytes),
        url=f"{API}/segments/{segment.segment_id}.mp4?view={view_id}",
        from_us=piece.start_us,
        to_us=piece.end_us,
        fragments=fragments,
    )


def _gap(gap: Interval) -> MediaGap:
    return MediaGap(from_us=gap.start_us, to_us=gap.end_us, cause=gap.cause)
