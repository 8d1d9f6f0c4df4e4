"""A camera is followed to another address by its number, by nobody else's word, and never when two claim it."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from random import Random

from structlog.testing import capture_logs

from lamppost.base.clock import ManualClock
from lamppost.base.errors import CameraUnreachable, StoreError
from lamppost.model.devices import DeviceIdentity
from lamppost.model.networks import CameraNetworks
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.finding_again import LOST_S, Finder, SearchTools, status_of
from scripted_device import IDENTITY

OLD, NEW, OTHER = "10.0.0.7", "10.0.0.8", "10.0.0.9"
GATE = CameraSettings(name="gate", url=f"rtsp://{OLD}/main")
NAMED = CameraSettings(name="gate", url="rtsp://gate.cameras.example/main")


@dataclass
class Network:
    """Who is at which address, and what came of it."""

    there: dict[str, DeviceIdentity]
    seen: tuple[str, ...] = (NEW, OTHER)
    known: DeviceIdentity | None = IDENTITY
    clock: ManualClock = field(default_factory=ManualClock)
    asked: list[str] = field(default_factory=list[str])
    written: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    searches: int = 0
    is_read_only: bool = False
    is_down: bool = False
    names: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def finder(self) -> Finder:
        tools = SearchTools(
            clock=self.clock,
            search=self._search,
            identify=self._identify,
            known=lambda _name: self.known,
            holds=CameraNetworks().holds,
            leads_to=lambda host: self.names.get(host, (host,)),
            write=self._write,
            random=Random(1),
        )
        return Finder(tools, threading.Event())

    def _search(self, wanted: Mapping[str, DeviceIdentity], stop: threading.Event) -> Mapping[str, Collection[str]]:
        self.searches += 1
        if self.is_down:
            raise OSError("Network is unreachable")
        return dict.fromkeys(wanted, self.seen)

    def _identify(self, camera: CameraSettings, address: str) -> DeviceIdentity:
        self.asked.append(address)
        if address not in self.there:
            raise CameraUnreachable("nobody")
        return self.there[address]

    def _write(self, camera: CameraSettings, address: str) -> bool:
        if self.is_read_only:
            raise StoreError("the folder is read-only")
        self.written.append((camera.name, address))
        return True


def search(network: Network, finder: Finder, camera: CameraSettings = GATE) -> None:
    """Have it be lost for long enough, and look once."""
    finder.use([camera])
    network.clock.advance(LOST_S)
    finder.look()
    thread = finder._searching
    if thread is not None:
        thread.join(10)
        assert not thread.is_alive()


def test_a_search_that_cannot_be_made_is_told_once_and_made_again() -> None:
    network = Network({NEW: IDENTITY}, is_down=True)
    finder = network.finder()
    with capture_logs() as told:
        search(network, finder)
        network.clock.advance(600.0)
        search(network, finder)
    assert [line["problem"] for line in told] == ["Network is unreachable"]
    network.is_down = False
    network.clock.advance(600.0)
    search(network, finder)
    assert network.written == [("gate", NEW)]


def test_it_is_followed_when_it_proves_its_number() -> None:
    network = Network({NEW: IDENTITY, OTHER: dataclasses.replace(IDENTITY, serial="SN-9")})
    finder = network.finder()
    search(network, finder)
    assert network.written == [("gate", NEW)]
    assert status_of(finder) == {"searches": 1, "found": 1, "troubles": {}}


def test_it_is_followed_though_its_maker_reads_otherwise_since_an_update() -> None:
    network = Network({NEW: dataclasses.replace(IDENTITY, vendor=IDENTITY.vendor.upper() + " Digital Technology", firmware="9.9")})
    search(network, network.finder())
    assert network.written == [("gate", NEW)]


def test_nobody_looks_before_it_was_away_for_a_while_or_after_it_is_back() -> None:
    network = Network({NEW: IDENTITY})
    finder = network.finder()
    finder.use([GATE])
    network.clock.advance(LOST_S - 0.1)
    finder.look()
    finder.use([])
    network.clock.advance(100)
    finder.look()
    assert network.searches == 0


def test_two_that_claim_one_number_are_not_followed_wherever_the_second_is() -> None:
    for there in ({NEW: IDENTITY, OTHER: IDENTITY}, {NEW: IDENTITY, OLD: IDENTITY}):
        network = Network(there)
        finder = network.finder()
        search(network, finder)
        assert network.written == []
        trouble = status_of(finder)["troubles"]["gate"]
        assert trouble["kind"] == "device_doubled"
        assert all(address in trouble["problem"] for address in there)


def test_it_is_never_followed_out_of_the_camera_networks() -> None:
    network = Network(dict.fromkeys(("192.0.2.8", "127.0.0.1", "169.254.169.254"), IDENTITY), ("192.0.2.8", "127.0.0.1", "169.254.169.254"))
    search(network, network.finder())
    assert network.asked == [], "and nobody there is asked"
    assert network.written == []


def test_one_of_whom_no_number_is_known_is_not_looked_for() -> None:
    network = Network({NEW: IDENTITY}, known=None)
    search(network, network.finder())
    assert network.searches == 0
    assert network.written == []
    nameless = dataclasses.replace(IDENTITY, serial="", mac="")
    network = Network({NEW: nameless}, known=nameless)
    search(network, network.finder())
    assert network.written == [], "looks are no proof"


def test_what_cannot_be_written_is_told_with_its_address_until_it_is_back() -> None:
    network = Network({NEW: IDENTITY}, is_read_only=True)
    finder = network.finder()
    search(network, finder)
    trouble = status_of(finder)["troubles"]["gate"]
    assert trouble["kind"] == "device_moved"
    assert NEW in trouble["problem"]
    assert "read-only" in trouble["problem"]
    finder.use([])
    assert status_of(finder)["troubles"] == {}


def test_a_name_is_not_replaced_by_a_number() -> None:
    network = Network({NEW: IDENTITY})
    finder = network.finder()
    search(network, finder, NAMED)
    assert network.written == []
    problem = status_of(finder)["troubles"]["gate"]["problem"]
    assert NEW in problem
    assert "gate.cameras.example does not lead there" in problem


def test_a_name_that_leads_to_where_the_device_is_is_nobodys_trouble() -> None:
    """Its video may be away for other reasons; when it was the address, the next connection asks for the name anew."""
    network = Network({NEW: IDENTITY}, names={"gate.cameras.example": (OTHER, NEW)})
    finder = network.finder()
    search(network, finder, NAMED)
    assert network.written == []
    assert network.asked == [], "and no password is offered for it"
    assert status_of(finder)["troubles"] == {}


def test_many_are_looked_for_in_one_search_and_less_and_less_often() -> None:
    network = Network({})
    finder = network.finder()
    lost = [GATE.model_copy(update={"name": f"c{number}", "url": f"rtsp://10.1.0.{number}/"}) for number in range(100)]
    finder.use(lost)
    for _ in range(3600):
        network.clock.advance(1)
        finder.look()
        if finder._searching is not None:
            finder._searching.join(10)
    assert 20 < network.searches < 80
    assert network.asked.count(NEW) == 100 * network.searches
