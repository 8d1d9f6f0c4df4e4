"""The application: every resource below one prefix, every error told alike, every route with its permit."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from fastapi import APIRouter, FastAPI

from lamppost import __version__
from lamppost.api import (
    account,
    acts,
    audits,
    backups,
    camera_books,
    camera_import,
    cameras,
    clips,
    configuration,
    counts,
    device_care,
    device_disarm,
    device_origin,
    device_search,
    event_feed,
    events,
    firmware,
    health,
    holds,
    live,
    live_hls,
    media,
    node,
    notifications,
    privacy,
    ptz,
    rule_trials,
    rules,
    session,
    stills,
    timeline,
    uptime,
    users,
    views,
)
from lamppost.api.bodies import BodyLimit
from lamppost.api.console_files import install_console
from lamppost.api.context import Context
from lamppost.api.document import Application
from lamppost.api.etags import EntityTags
from lamppost.api.event_feed import EventFeed
from lamppost.api.headers import SecurityHeaders
from lamppost.api.idempotency import Idempotency
from lamppost.api.live_hub import LiveHub
from lamppost.api.permit import API, mark_routes
from lamppost.api.problems import install_problems
from lamppost.api.rates import RateLimit
from lamppost.api.recent import RecentActs

# The order of the document.
RESOURCES: Final[tuple[tuple[str, APIRouter], ...]] = (
    ("session", session.router),
    ("account", account.router),
    ("users", users.router),
    ("cameras", cameras.router),
    ("cameras", camera_books.router),
    ("devices", device_search.router),
    ("cameras", device_care.router),
    ("cameras", ptz.router),
    ("audits", audits.router),
    ("audits", device_disarm.router),
    ("cameras", camera_import.router),
    ("cameras", uptime.router),
    ("cameras", device_origin.router),
    ("cameras", firmware.router),
    ("live", live.router),
    ("live", live_hls.router),
    ("past", views.router),
    ("past", timeline.router),
    ("past", media.router),
    ("past", clips.router),
    ("past", stills.router),
    ("events", events.router),
    ("events", event_feed.router),
    ("counts", counts.router),
    ("rules", rules.router),
    ("rules", rule_trials.router),
    ("holds", holds.router),
    ("node", node.router),
    ("node", privacy.router),
    ("node", acts.router),
    ("node", configuration.router),
    ("node", notifications.router),
    ("node", backups.router),
)


def create_app(context: Context, resources: Sequence[tuple[str, APIRouter]] = RESOURCES) -> FastAPI:
    """The application of one node; raises `TypeError` where a route has no permit."""
    feed = EventFeed(context)
    hub = LiveHub(context.folder, context.clock)

    @contextlib.asynccontextmanager
    async def life(_app: FastAPI) -> AsyncGenerator[None]:
        yield
        await hub.close()
        await feed.close()

    app = Application(
        title="Lamppost",
        version=__version__,
        summary="The whole safe city, without the surveillance of persons. Everything shown is masked.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    app.state.context = context
    app.state.live = hub
    app.state.event_feed = feed
    app.state.recent_acts = RecentActs(context)
    app.include_router(health.router)
    install_problems(app)
    for tag, router in resources:
        mark_routes(router)
        app.include_router(router, prefix=API, tags=[tag])
    install_console(app)
    # The last that is added is the first that is asked.
    app.add_middleware(Idempotency, context=context)
    app.add_middleware(EntityTags)
    app.add_middleware(BodyLimit)
    app.add_middleware(RateLimit, clock=context.clock)
    app.add_middleware(SecurityHeaders)
    return app
