"""How every route is asked so that it has to answer: with ids that there are, bodies that hold, and whatever must have happened before.

The tests of all routes take the routes from the OpenAPI document, and how to ask them from here. A route that is missing
here fails them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

import pyotp

from furnished_node import CAMERAS, PASSWORD, FurnishedNode, Person, t
from lamppost.access.desk import LinkKind
from lamppost.base.clock import US_PER_S
from lamppost.model.access import Permission
from lamppost.store.device_book import DeviceBook

About = Literal["camera", "list", "node", "self"]
SPAN: Final = f"from={t(0)}&to={t(2)}"
LONG: Final = f"from={t(0)}&to={t(3600)}"
MATCH: Final = MappingProxyType({"If-Match": "*"})
NOBODY: Final = "nowhere"  # a camera, and every id, that there is not


@dataclass(frozen=True)
class Asked:
    """One request; `needs` is what it needs beyond the permit of its route."""

    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    needs: Permission | None = None


Make = Callable[[FurnishedNode, Person, str], Asked]
"""What somebody asks about a camera; for what is about none the camera is empty."""


@dataclass(frozen=True)
class Row:
    """`about` a camera: refused for any other. A list: without a camera in full, with one of it alone; what one may not see is left out.

    `ways` are several requests of one route, each answered by itself.
    """

    about: About
    ways: tuple[Make, ...]
    tells_cameras: bool = True  # of a list: whether each camera is named in it


def _camera(*paths: str, body: Any = None, **headers: str) -> Row:
    """`CAMERA`, `EVENT`, `SEGMENT`, `VIEW`… stand for those of the camera and the caller."""

    def way(path: str) -> Make:
        def make(node: FurnishedNode, who: Person, camera: str) -> Asked:
            return Asked(_filled(node, who, camera, path), _body(body, camera), MappingProxyType(headers or {}))

        return make

    return Row("camera", tuple(way(path) for path in paths))


def _filled(node: FurnishedNode, who: Person, camera: str, path: str) -> str:
    """`path` with the names in capitals replaced; a camera that there is not has no ids either."""
    is_there = camera in CAMERAS
    made: dict[str, Callable[[], str]] = {
        "VIEW": lambda: node.view(who, camera),
        "NEW_EVENT": lambda: node.event(camera),
        "NEW_HOLD": lambda: node.hold(camera),
        "EVENT": lambda: node.events[camera],
        "SEGMENT": lambda: node.segments[camera],
        "TRIAL": lambda: node.trial(camera),
        "AUDIT": lambda: node.audit(camera),
        "DISARM": lambda: node.disarm(camera),
        "TOUR": lambda: node.tour(camera),
    }
    for word, make in made.items():
        if word in path:
            path = path.replace(word, make() if is_there or word == "VIEW" else NOBODY)
    return path.replace("CAMERA", camera)


def _body(body: Any, camera: str) -> Any:
    kept = CAMERAS.get(camera)
    words = {"CAMERA": camera, "WORD": kept.word if kept else NOBODY, "ADDRESS": kept.address if kept else "192.0.2.99"}
    if isinstance(body, dict):
        return {name: _body(value, camera) for name, value in body.items()}
    if isinstance(body, list):
        return [_body(value, camera) for value in body]
    for name, word in words.items():
        body = body.replace(name, word) if isinstance(body, str) else body
    return body


def _list(path: str, *filters: str, tells_cameras: bool = True) -> Row:
    """`filters` narrow it down to a camera; without one it is asked in full."""

    def way(narrow: str) -> Make:
        def make(_node: FurnishedNode, _who: Person, camera: str) -> Asked:
            kept = CAMERAS.get(camera)
            if kept is None or not narrow:
                return Asked(path)
            told = narrow.replace("CAMERA", camera).replace("WORD", kept.word).replace("SITE", kept.site_id)
            return Asked(f"{path}{'&' if '?' in path else '?'}{told}")

        return make

    return Row("list", tuple(way(narrow) for narrow in filters or ("",)), tells_cameras)


def _node(path: str, body: Any = None, **headers: str) -> Row:
    return Row("node", (lambda node, _who, _camera: Asked(_with_user(node, path), body, MappingProxyType(headers)),))


def _with_user(node: FurnishedNode, path: str) -> str:
    return path.replace("USER", node.somebody_new("viewer@*").user_id) if "USER" in path else path


def _self(path: str, body: Any = None) -> Row:
    return Row("self", (lambda _node, _who, _camera: Asked(path, body),))


def _codes_proof(node: FurnishedNode, who: Person, _camera: str) -> Asked:
    secret = node.ask(who, "POST", "/account/totp", {"password": PASSWORD}).json()["secret"]
    code = pyotp.TOTP(secret).at((node.clock.wall_us() + 500_000) // US_PER_S)
    return Asked("/account/totp", {"secret": secret, "code": code, "password": PASSWORD})


def _token_wish(_node: FurnishedNode, who: Person, _camera: str) -> Asked:
    role, _, scope = who.grants.partition("+")[0].partition("@")
    return Asked("/account/tokens", {"name": "script", "expires_days": 1, "grants": [{"role": role, "scope": scope}]})


def _token(node: FurnishedNode, who: Person, _camera: str) -> Asked:
    wish = _token_wish(node, who, "")
    return Asked(f"/account/tokens/{node.ask(who, 'POST', wish.path, wish.body).json()['id']}")


def _still_of_then(node: FurnishedNode, who: Person, camera: str) -> Asked:
    return Asked(_filled(node, who, camera, f"/cameras/CAMERA/still.jpg?at={t(1)}&view=VIEW"), needs=Permission.WATCH_PAST)


def _sign_in(_node: FurnishedNode, who: Person, _camera: str) -> Asked:
    return Asked("/session", {"name": who.name, "password": PASSWORD})


def _link(path: str, **more: str) -> Row:
    def make(node: FurnishedNode, who: Person, _camera: str) -> Asked:
        user = node.desk.book.user(who.user_id)
        assert user is not None
        return Asked(path, {"token": node.desk.make_link(user, LinkKind.SIGN_IN)} | more)

    return Row("self", (make,))


def _new_user(node: FurnishedNode, _who: Person, _camera: str) -> Asked:
    return Asked("/users", {"name": f"guest-{node.number()}", "grants": [{"role": "viewer", "scope": "*"}]})


def _search_begun(node: FurnishedNode, who: Person, camera: str) -> Asked:
    del who, camera
    node.search()
    return Asked("/devices/searches", {})


def _search(node: FurnishedNode, who: Person, camera: str) -> Asked:
    del who, camera
    return Asked(f"/devices/searches/{node.search()}")


def _job(node: FurnishedNode, _who: Person, _camera: str) -> Asked:
    return Asked(f"/audits/jobs/{node.job()}")


def _import_profile(node: FurnishedNode, _who: Person, _camera: str) -> Asked:
    with DeviceBook(node.context.folder) as book:
        book.set_import_profile("dome", {"preset": "all"})
    return Asked("/import-profiles/dome")


_TOUR: Final = {"steps": [{"preset": "1", "stay_s": 30.0}]}
_ORDER: Final = {"authorisation": "the council has decided so"}
_BOOK: Final = {"line": [{"name": "WORD-line", "points": [[0.1, 0.5], [0.9, 0.5]]}]}
_CORNERS: Final = [{"image": [x, y], "map_m": [x * 20, y * 30]} for x, y in ((0.1, 0.2), (0.9, 0.2), (0.9, 0.8), (0.1, 0.8))]
_COUNTED: Final = ("", "camera=CAMERA", "place=WORD-line")

ROWS: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "GET /session": _self("/session"),
        "POST /session": Row("self", (_sign_in,)),
        "DELETE /session": _self("/session"),
        "POST /session/link/facts": _link("/session/link/facts"),
        "POST /session/link": _link("/session/link"),
        "POST /account/password": _self("/account/password", {"old": PASSWORD, "new": "nine loud umbrellas"}),
        "POST /account/totp": _self("/account/totp", {"password": PASSWORD}),
        "PUT /account/totp": Row("self", (_codes_proof,)),
        "POST /account/totp/off": _self("/account/totp/off", {"password": PASSWORD}),
        "GET /account/preferences": _self("/account/preferences"),
        "PUT /account/preferences": _self("/account/preferences", {"theme": "dark"}),
        "PATCH /account/preferences": _self("/account/preferences", {"theme": "light"}),
        "GET /account/tokens": _self("/account/tokens"),
        "POST /account/tokens": Row("self", (_token_wish,)),
        "DELETE /account/tokens/{token_id}": Row("self", (_token,)),
        "GET /roles": _self("/roles"),
        "GET /privacy": _list("/privacy"),
        "GET /users": _node("/users"),
        "POST /users": Row("node", (_new_user,)),
        "GET /users/{user_id}": _node("/users/USER"),
        "PATCH /users/{user_id}": _node("/users/USER", {"display_name": "Guest"}, **MATCH),
        "DELETE /users/{user_id}": _node("/users/USER", **MATCH),
        "POST /users/{user_id}/link": _node("/users/USER/link"),
        "DELETE /users/{user_id}/sessions": _node("/users/USER/sessions"),
        "DELETE /users/{user_id}/totp": _node("/users/USER/totp"),
        "POST /cameras/test": _camera("/cameras/test", body={"url": "rtsp://ADDRESS/main", "camera": "CAMERA"}),
        "POST /cameras/import": _node("/cameras/import", {"csv": "name,url\nextra,rtsp://10.9.9.9/main\n", "dry_run": False}),
        "GET /import-profiles": _node("/import-profiles"),
        "PUT /import-profiles/{profile}": _node("/import-profiles/dome", {"fields": {"preset": "all"}}),
        "DELETE /import-profiles/{profile}": Row("node", (_import_profile,)),
        "GET /cameras": _list("/cameras"),
        "POST /cameras": _node("/cameras", {"name": "extra", "url": "rtsp://10.9.9.8/main"}),
        "GET /cameras/{camera}": _camera("/cameras/CAMERA"),
        "PATCH /cameras/{camera}": _camera("/cameras/CAMERA", body={"masked_days": 2.0}, **MATCH),
        "DELETE /cameras/{camera}": _camera("/cameras/CAMERA", **MATCH),
        "GET /cameras/{camera}/health": _camera("/cameras/CAMERA/health", f"/cameras/CAMERA/health?{SPAN}"),
        "GET /cameras/{camera}/gaps": _camera("/cameras/CAMERA/gaps", f"/cameras/CAMERA/gaps?{SPAN}"),
        "GET /uptime": _list("/uptime?by=camera"),
        "GET /uptime.csv": _list("/uptime.csv?by=camera"),
        "GET /cameras/{camera}/device": _camera("/cameras/CAMERA/device"),
        "POST /cameras/{camera}/device/look": _camera("/cameras/CAMERA/device/look", body={}),
        "POST /cameras/{camera}/password": _camera("/cameras/CAMERA/password", body={"new": "seven-quiet-lanterns"}),
        "GET /cameras/{camera}/origin": _camera("/cameras/CAMERA/origin"),
        "PUT /cameras/{camera}/origin": _camera("/cameras/CAMERA/origin", body={"vendor": "WORD works"}, **MATCH),
        "GET /firmware": _list("/firmware"),
        "PUT /firmware/list": _node("/firmware/list", {"name": "none", "published": "2026-11-28"}),
        "GET /cameras/{camera}/live.m3u8": _camera("/cameras/CAMERA/live.m3u8"),
        "GET /cameras/{camera}/live/{part}": _camera("/cameras/CAMERA/live/init-1.mp4", "/cameras/CAMERA/live/1.m4s"),
        "GET /cameras/{camera}/ptz": _camera("/cameras/CAMERA/ptz"),
        "POST /cameras/{camera}/ptz/move": _camera("/cameras/CAMERA/ptz/move", body={"pan": 0.5, "for_s": 0.5}),
        "POST /cameras/{camera}/ptz/stop": _camera("/cameras/CAMERA/ptz/stop"),
        "POST /cameras/{camera}/ptz/preset": _camera("/cameras/CAMERA/ptz/preset", body={"token": "1"}),
        "POST /cameras/{camera}/ptz/presets": _camera("/cameras/CAMERA/ptz/presets", body={"name": "gate"}),
        "DELETE /cameras/{camera}/ptz/presets/{token}": _camera("/cameras/CAMERA/ptz/presets/1"),
        "PUT /cameras/{camera}/ptz/tours/{tour}": _camera("/cameras/CAMERA/ptz/tours/night", body=_TOUR),
        "DELETE /cameras/{camera}/ptz/tours/{tour}": _camera("/cameras/CAMERA/ptz/tours/TOUR"),
        "POST /cameras/{camera}/ptz/tours/{tour}/start": _camera("/cameras/CAMERA/ptz/tours/TOUR/start"),
        "POST /cameras/{camera}/ptz/tours/stop": _camera("/cameras/CAMERA/ptz/tours/stop"),
        "POST /devices/searches": Row("node", (_search_begun,)),
        "GET /devices/searches/{search}": Row("node", (_search,)),
        "POST /devices/look": _node("/devices/look", {"device_url": "http://192.0.2.99"}),
        "GET /audits": _list("/audits"),
        "POST /audits": _list("/audits", tells_cameras=False),
        "GET /audits/jobs/{job}": Row("list", (_job,), tells_cameras=False),
        "GET /audits/{audit}": _camera("/audits/AUDIT"),
        "GET /audits/{audit}/evidence/{number}": _camera("/audits/AUDIT/evidence/0"),
        "GET /cameras/{camera}/audits": _camera("/cameras/CAMERA/audits"),
        "POST /cameras/{camera}/audits": _camera("/cameras/CAMERA/audits"),
        "GET /cameras/{camera}/disarm": _camera("/cameras/CAMERA/disarm"),
        "POST /cameras/{camera}/disarm": _camera("/cameras/CAMERA/disarm", body=_ORDER),
        "GET /cameras/{camera}/disarms": _camera("/cameras/CAMERA/disarms"),
        "POST /disarms/{disarm}/rollback": _camera("/disarms/DISARM/rollback", body=_ORDER),
        "POST /views": _camera("/views", body={"cameras": ["CAMERA"], "from": t(0), "to": t(60), "reason": "a bag was lost"}),
        "GET /cameras/{camera}/timeline": _camera(f"/cameras/CAMERA/timeline?{LONG}"),
        "GET /cameras/{camera}/media": _camera(f"/cameras/CAMERA/media?{SPAN}&view=VIEW"),
        "GET /cameras/{camera}/playlist.m3u8": _camera(f"/cameras/CAMERA/playlist.m3u8?{SPAN}&view=VIEW"),
        "GET /cameras/{camera}/thumbnail.jpg": _camera(f"/cameras/CAMERA/thumbnail.jpg?at={t(1)}&view=VIEW"),
        "GET /segments/{segment}.mp4": _camera("/segments/SEGMENT.mp4?view=VIEW"),
        "GET /cameras/{camera}/clip.mp4": _camera(f"/cameras/CAMERA/clip.mp4?{SPAN}&view=VIEW"),
        "GET /cameras/{camera}/still.jpg": Row("camera", (*_camera("/cameras/CAMERA/still.jpg").ways, _still_of_then)),
        "GET /events": _list("/events", "", "camera=CAMERA", "site=SITE", "rule=WORD-rule"),
        "GET /events/{event_id}": _camera("/events/EVENT"),
        "POST /events/{event_id}/acknowledgement": _camera("/events/NEW_EVENT/acknowledgement", body={"text": "seen"}),
        "POST /events/{event_id}/comments": _camera("/events/EVENT/comments", body={"text": "a dog"}),
        "GET /events/{event_id}/snapshot.jpg": _camera("/events/NEW_EVENT/snapshot.jpg"),
        "GET /counts/places": _list("/counts/places"),
        "GET /counts": _list(f"/counts?{LONG}", *_COUNTED),
        "GET /counts.csv": _list(f"/counts.csv?{LONG}", *_COUNTED),
        "GET /counts/heat": _camera(f"/counts/heat?camera=CAMERA&{LONG}"),
        "GET /cameras/{camera}/rules": _camera("/cameras/CAMERA/rules"),
        "PUT /cameras/{camera}/rules": _camera("/cameras/CAMERA/rules", body={"rules": _BOOK}, **MATCH),
        "POST /cameras/{camera}/rules/check": _camera("/cameras/CAMERA/rules/check", body={"rules": _BOOK}),
        "POST /cameras/{camera}/calibration/check": _camera(
            "/cameras/CAMERA/calibration/check", body={"points": _CORNERS, "width_px": 96, "height_px": 64}
        ),
        "POST /cameras/{camera}/rules/trial": _camera("/cameras/CAMERA/rules/trial", body={"rules": _BOOK, "minutes": 60}),
        "GET /cameras/{camera}/rules/trial/{trial_id}": _camera("/cameras/CAMERA/rules/trial/TRIAL"),
        "DELETE /cameras/{camera}/rules/trial/{trial_id}": _camera("/cameras/CAMERA/rules/trial/TRIAL"),
        "GET /holds": _list("/holds"),
        "POST /holds": _camera("/holds", body={"camera": "CAMERA", "from": t(0), "to": t(1), "reason": "WORD reason"}),
        "DELETE /holds/{hold_id}": _camera("/holds/NEW_HOLD"),
        "GET /sites": _list("/sites"),
        "GET /system": _node("/system"),
        "GET /acts": _list("/acts?to=2023-11-14T22:14:00Z", "", "camera=CAMERA", "actor=WORD-watcher"),
        "GET /acts/kinds": _list("/acts/kinds", tells_cameras=False),
        "GET /configuration": _node("/configuration"),
        "PATCH /configuration": _node("/configuration", {"masking": {"look_back_s": 3.0}}, **MATCH),
        "GET /notifications": _node("/notifications"),
        "GET /notifications/{name}/dead": _node("/notifications/hook/dead"),
        "POST /notifications/{name}/test": _node("/notifications/hook/test"),
        "POST /notifications/{name}/retry": _node("/notifications/hook/retry"),
        "GET /backups": _node("/backups"),
        "POST /backups": _node("/backups"),
        "SOCKET /cameras/{camera}/live": _camera("/cameras/CAMERA/live"),
        "SOCKET /events/feed": _list("/events/feed", tells_cameras=False),
    }
)
