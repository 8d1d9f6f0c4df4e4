"""Who is told of events, whether it works, and what did not arrive."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from lamppost.api.context import Context
from lamppost.api.moments import Time
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import not_found
from lamppost.base.errors import NotifyError
from lamppost.base.logging import redact
from lamppost.model.access import Permission
from lamppost.model.books import Severity
from lamppost.model.carriers import NotifySettings
from lamppost.notify.trial import send_test
from lamppost.store.outbox_view import Delivery, OutboxTally, OutboxView
from lamppost.store.reviving import revive

MOST_DEAD: Final = 200

router = APIRouter()

Viewer = Annotated[Identity, Depends(Permit(Permission.SEE_CONFIGURATION))]
Operator = Annotated[Identity, Depends(Permit(Permission.OPERATE))]


class CarrierEvents(BaseModel):
    """What a carrier wants to hear of."""

    severity: Severity = Field(description="The least.")
    types: list[str] = Field(description="All where empty.")
    cameras: list[str] = Field(description="All where empty, and then those of the node as well.")


class Carrier(BaseModel):
    """Somebody who is told of events, and how it stands."""

    name: str
    kind: str = Field(description="`mqtt`, `webhook`, `apprise`; empty for one that is not configured any more.")
    target: str = Field(description="As far as it may be shown: the path of a webhook may be a key.")
    events: CarrierEvents | None
    waiting: int
    oldest: Time | None = Field(description="Since when the oldest of them waits.")
    dead: int = Field(description="Dead letters: refused, or too old.")
    delivered: int = Field(description="As far back as the node keeps them.")
    last_problem: str = Field(description="Of what it has not taken; empty where it has taken all.")


class Carriers(BaseModel):
    """All of them, those of the configuration first."""

    items: list[Carrier]


class DeadLetter(BaseModel):
    """A message that is not offered any more."""

    id: str
    type: str
    camera: str | None
    at: Time
    attempts: int
    problem: str


class DeadLetters(BaseModel):
    """Those of one carrier, the oldest first."""

    items: list[DeadLetter] = Field(description=f"{MOST_DEAD} at most.")


class Tested(BaseModel):
    """Whether the carrier has taken the test message."""

    ok: bool
    problem: str
    remedy: str


class Revived(BaseModel):
    """How many dead letters are offered again."""

    revived: int


@router.get("/notifications")
def list_carriers(identity: Viewer) -> Carriers:
    """The carriers, what waits for each, and what did not arrive."""
    context = identity.context
    configured = {carrier.name: carrier for carrier in context.settings.notify}
    with OutboxView(context.folder) as view:
        tallies, delivered = view.tallies(), view.delivered()
        names = [*configured, *sorted(tallies.keys() - configured.keys())]
        problems = {name: view.problem(name) for name in names}
    return Carriers(
        items=[
            _carrier(name, configured.get(name), tallies.get(name, OutboxTally()), delivered.get(name, 0), problems[name]) for name in names
        ]
    )


@router.get("/notifications/{name}/dead")
def list_dead_letters(name: str, identity: Viewer) -> DeadLetters:
    """What did not arrive, and why."""
    context = identity.context
    with OutboxView(context.folder) as view:
        letters = view.dead(name, MOST_DEAD)
    if not letters:
        _configured(context, name)
    return DeadLetters(items=[_letter(letter) for letter in letters])


@router.post("/notifications/{name}/test")
def test_carrier(name: str, identity: Operator) -> Tested:
    """Send a test message, at once and past the outbox."""
    context = identity.context
    carrier = _configured(context, name)
    context.act("notification_tested", identity.name, name, {})
    try:
        send_test(carrier, site=context.settings.site, root=context.folder.root, now_us=context.clock.wall_us())
    except NotifyError as error:
        return Tested(ok=False, problem=redact(error.problem), remedy=redact(error.remedy))
    return Tested(ok=True, problem="", remedy="")


@router.post("/notifications/{name}/retry")
def retry_carrier(name: str, identity: Operator) -> Revived:
    """Offer the dead letters once more; each has its whole time again."""
    context = identity.context
    with OutboxView(context.folder) as view:
        dead = view.tallies().get(name, OutboxTally()).dead
    if not dead:
        _configured(context, name)
        return Revived(revived=0)
    revive(context.folder, name, actor=identity.name, clock=context.clock)  # an act of its own is in it
    return Revived(revived=dead)


def _configured(context: Context, name: str) -> NotifySettings:
    found = next((carrier for carrier in context.settings.notify if carrier.name == name), None)
    if found is None:
        raise not_found("carrier")
    return found


def _carrier(name: str, carrier: NotifySettings | None, tally: OutboxTally, delivered: int, problem: str) -> Carrier:
    events = CarrierEvents(severity=carrier.severity, types=list(carrier.types), cameras=list(carrier.cameras)) if carrier else None
    return Carrier(
        name=name,
        kind=carrier.type if carrier else "",
        target=redact(carrier.address) if carrier else "",
        events=events,
        waiting=tally.waiting,
        oldest=tally.oldest_us,
        dead=tally.dead,
        delivered=delivered,
        last_problem=redact(problem),
    )


def _letter(letter: Delivery) -> DeadLetter:
    return DeadLetter(
        id=f"{letter.event_id}-{letter.sequence}",
        type=letter.kind,
        camera=letter.camera,
        at=letter.at_us,
        attempts=letter.attempts,
        problem=redact(letter.problem),
    )
