"""The application: every resource below one prefix, every error told alike, every route with its permit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter, FastAPI

from lamppost import __version__
from lamppost.api import (
    account,
    acts,
    backups,
    camera_books,
    cameras,
    configuration,
    counts,
    event_feed,
    events,
    holds,
    live,
    live_hls,
    media,
    node,
    notifications,
    privacy,
    rule_trials,
    rules,
    session,
    timeline,
    users,
    views,
)
from lamppost.api.console_files import install_console
from lamppost.api.context import Context
from lamppost.api.permit import API, mark_routes
from lamppost.api.problems import install_problems

# The order of the document.
RESOURCES: Final[tuple[tuple[str, APIRouter], ...]] = (
    ("session", session.router),
    ("account", account.router),
    ("users", users.router),
    ("cameras", cameras.router),
    ("cameras", camera_books.router),
    ("live", live.router),
    ("live", live_hls.router),
    ("past", views.router),
    ("past", timeline.router),
    ("past", media.router),
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
    app = FastAPI(
        title="Lamppost",
        version=__version__,
        summary="The whole safe city, without the surveillance of persons. Everything shown is masked.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = context
    install_problems(app)
    for tag, router in resources:
        mark_routes(router)
        app.include_router(router, prefix=API, tags=[tag])
    install_console(app)
    return app
