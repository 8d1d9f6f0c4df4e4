"""Prometheus metrics of all processes at one place, made when somebody asks.

They name cameras and processes; nothing in them is about a person, and no
address or password of a camera is. Children report to the supervisor, which
serves; what a process costs is read from `/proc`.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any, Final
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from lamppost.base.logging import get_logger
from lamppost.model.server_settings import split_listen
from lamppost.pipeline.fleet import Role
from lamppost.pipeline.node_state import TellingNode

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")

_RECORDED: Final = (
    ("frames", "lamppost_recorded_frames", "Pictures written to sealed originals"),
    ("sealed_bytes", "lamppost_sealed_bytes", "Bytes of sealed fragments"),
    ("received_bytes", "lamppost_received_bytes", "Bytes received of the present session"),
    ("sessions", "lamppost_camera_sessions", "Sessions with the camera"),
    ("gaps", "lamppost_gaps", "Gaps that were declared"),
    ("not_fed", "lamppost_not_fed_packets", "Packets the analyst had no room for"),
    ("dropped", "lamppost_dropped_packets", "Packets the disk was too slow for"),
    ("lost_packets", "lamppost_lost_packets", "RTP packets lost by the network, of the present session"),
)
_MASKED: Final = (
    ("frames", "lamppost_masked_frames", "Masked pictures written"),
    ("covered_frames", "lamppost_covered_frames", "Of these, covered whole"),
    ("live_dropped_fragments", "lamppost_live_dropped_fragments", "Live pictures that a subscriber was too slow for"),
)
_RETAINED: Final = (
    ("free_bytes", "lamppost_disk_free_bytes", "Free on the data folder's disk"),
    ("held_bytes", "lamppost_held_bytes", "Footage that holds keep"),
)
_DELIVERED: Final = (
    ("delivered", "lamppost_notices_delivered", "Notices that the carrier took"),
    ("failed", "lamppost_notices_failed", "Offers that it did not take, and that are made again"),
)
_OUTBOX: Final = (
    ("waiting", "lamppost_notices_waiting", "Notices that wait for the carrier"),
    ("dead", "lamppost_notices_dead", "Dead letters of the carrier"),
)
_CARED: Final = (
    ("events", "lamppost_device_events", "Events that devices told, and that were taken"),
    ("suppressed", "lamppost_device_events_suppressed", "Events of devices that were left out, because too many came at once"),
    ("dropped", "lamppost_device_messages_dropped", "Messages of devices that were dropped unread: they are none of our business"),
    ("audits", "lamppost_device_audits", "Audits of what devices are able to do"),
    ("found", "lamppost_cameras_found_again", "Cameras whose new address was found"),
)
_FORGOTTEN: Final = (
    ("forgotten_segments", "lamppost_forgotten_segments", "Files deleted by retention"),
    ("forgotten_bytes", "lamppost_forgotten_bytes", "Bytes deleted by retention"),
)


class NodeCollector(Collector):
    """Reads the node at each scrape; keeps nothing."""

    def __init__(self, node: TellingNode) -> None:
        self._node = node

    def collect(self) -> Iterable[Metric]:
        yield from self._cameras()
        yield from self._retention()
        yield from self._carriers()
        yield from self._devices()
        yield from self._server()
        yield from self._processes()
        alarms = GaugeMetricFamily("lamppost_alarm", "Warnings and alarms that stand", labels=("kind", "severity", "camera"))
        standing = ((condition.kind, condition.severity.value, condition.camera or "") for condition in self._node.alarms)
        for labels in dict.fromkeys(standing):
            alarms.add_metric(labels, 1)
        yield alarms

    def _cameras(self) -> Iterator[Metric]:
        names = [camera.name for camera in self._node.settings.camera]
        recordings = {name: self._node.recording(name) for name in names}
        maskings = {name: self._node.masking(name) for name in names}
        up = GaugeMetricFamily("lamppost_camera_recording", "1 while the camera is recorded", labels=("camera",))
        states = GaugeMetricFamily("lamppost_camera_state", "1 for the state it is in", labels=("camera", "state"))
        steps = GaugeMetricFamily("lamppost_masking_step", "1 for the step of overload it is at", labels=("camera", "step"))
        behind = GaugeMetricFamily("lamppost_masking_behind_seconds", "How late masking is", labels=("camera",))
        live = GaugeMetricFamily("lamppost_live_subscribers", "Connections that get live video", labels=("camera",))
        for name in names:
            live.add_metric((name,), float(maskings[name].get("live_subscribers", 0)))
            up.add_metric((name,), float(recordings[name].get("state") == "recording"))
            states.add_metric((name, _state(recordings[name])), 1)
            if step := maskings[name].get("step"):
                steps.add_metric((name, step), 1)
            behind.add_metric((name,), float(maskings[name].get("behind_s", 0.0)))
        yield from (up, states, behind, steps, live)
        for reports, fields in ((recordings, _RECORDED), (maskings, _MASKED)):
            for key, metric, meaning in fields:
                family = CounterMetricFamily(metric, meaning, labels=("camera",))
                for name, report in reports.items():
                    family.add_metric((name,), float(report.get(key, 0)))
                yield family

    def _retention(self) -> Iterator[Metric]:
        for child in self._node.children:
            report = child.status.get("retention")
            if child.role is not Role.BOOKKEEPER or not report:
                continue
            for key, metric, meaning in _RETAINED:
                yield GaugeMetricFamily(metric, meaning, value=float(report.get(key, 0)))
            for key, metric, meaning in _FORGOTTEN:
                yield CounterMetricFamily(metric, meaning, value=float(report.get(key, 0)))

    def _carriers(self) -> Iterator[Metric]:
        reports = [child.status.get("carriers", {}) for child in self._node.children if child.role is Role.NOTIFIER]
        carriers: dict[str, Mapping[str, Any]] = {name: report for reported in reports for name, report in reported.items()}
        for fields, make in ((_DELIVERED, CounterMetricFamily), (_OUTBOX, GaugeMetricFamily)):
            for key, metric, meaning in fields:
                family = make(metric, meaning, labels=("carrier",))
                for name, report in carriers.items():
                    family.add_metric((name,), float(report.get(key, 0)))
                yield family

    def _devices(self) -> Iterator[Metric]:
        known = {camera.name: self._node.device(camera.name).get("is_reachable") for camera in self._node.settings.camera}
        reachable = GaugeMetricFamily("lamppost_device_reachable", "1 while the device behind the camera answers", labels=("camera",))
        for name, is_reachable in known.items():
            if is_reachable is not None:
                reachable.add_metric((name,), float(is_reachable))
        yield reachable
        for child in self._node.children:
            if child.role is Role.CARETAKER:
                figures: Mapping[str, Any] = child.status.get("figures", {})
                for key, metric, meaning in _CARED:
                    yield CounterMetricFamily(metric, meaning, value=float(figures.get(key, 0)))
                yield GaugeMetricFamily("lamppost_care_late_seconds", "How late devices are asked", value=float(figures.get("late_s", 0)))

    def _server(self) -> Iterator[Metric]:
        for child in self._node.children:
            if child.role is not Role.SERVER:
                continue
            figures: Mapping[str, Any] = child.status.get("figures", {})
            requests = CounterMetricFamily("lamppost_server_requests", "Requests answered, by class of status", labels=("status",))
            for status, count in figures.get("requests", {}).items():
                requests.add_metric((status,), float(count))
            yield requests
            viewers = GaugeMetricFamily(
                "lamppost_live_viewers", "Who watches live through the server", value=float(figures.get("live_viewers", 0))
            )
            dropped = CounterMetricFamily(
                "lamppost_live_viewer_dropped_fragments",
                "Live pictures that a viewer was too slow for",
                value=float(figures.get("dropped_fragments", 0)),
            )
            followers = GaugeMetricFamily(
                "lamppost_event_followers", "Who follows events through the server", value=float(figures.get("event_listeners", 0))
            )
            yield from (viewers, dropped, followers, _answer_times(figures.get("answer_times", {})))

    def _processes(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("lamppost_process_up", "1 while the process runs", labels=("process",))
        deaths = CounterMetricFamily("lamppost_process_deaths", "How often it died", labels=("process",))
        cpu = CounterMetricFamily("lamppost_process_cpu_seconds", "User and system time of its present life", labels=("process",))
        memory = GaugeMetricFamily("lamppost_process_resident_bytes", "Resident memory", labels=("process",))
        files = GaugeMetricFamily("lamppost_process_open_files", "Open descriptors", labels=("process",))
        pids = [("supervisor", os.getpid()), *((child.name, child.process_id) for child in self._node.children)]
        for child in self._node.children:
            deaths.add_metric((child.name,), child.deaths)
        for name, pid in pids:
            up.add_metric((name,), float(pid is not None))
            with contextlib.suppress(OSError, ValueError, IndexError):  # it may end while it is looked at
                place = Path(f"/proc/{pid}")
                fields = (place / "stat").read_text().rpartition(")")[2].split()
                cpu.add_metric((name,), (int(fields[11]) + int(fields[12])) / _TICKS_PER_S)
                memory.add_metric((name,), int((place / "statm").read_text().split()[1]) * _PAGE_BYTES)
                files.add_metric((name,), len(os.listdir(place / "fd")))  # names alone, cheaply
        yield from (up, deaths, cpu, memory, files)


def _state(recording: Mapping[str, Any]) -> str:
    """Its state; for one that is tried again, the cause of the gap that is open."""
    state = str(recording.get("state", "starting"))
    return str(recording.get("cause") or state) if state == "retrying" else state


def _answer_times(told: Mapping[str, Any]) -> Metric:
    """As `lamppost.api.answer_times` counts them; empty before the server has told of any."""
    bounds = [*(str(bound_s) for bound_s in told.get("bounds_s", ())), "+Inf"]
    below = accumulate(told.get("counts", (0,)))
    return HistogramMetricFamily(
        "lamppost_server_answer_seconds",
        "Time until an answer begins",
        buckets=[(bound, float(count)) for bound, count in zip(bounds, below, strict=True)],
        sum_value=float(told.get("sum_s", 0.0)),
    )


class MetricsServer:
    """`/metrics` on the address of the settings; an address that cannot be had is told and does without."""

    def __init__(self, node: TellingNode) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(NodeCollector(node))
        self._server: WSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._listen = ""

    @property
    def port(self) -> int | None:
        """Where it listens; None when it does not."""
        return self._server.server_port if self._server is not None else None

    def use(self, listen: str) -> None:
        """Listen at `HOST:PORT`, or nowhere when empty; does nothing where that is so already."""
        if listen == self._listen:
            return
        self.close()
        self._listen = listen
        if not listen:
            return
        host, port = split_listen(listen)
        try:
            self._server, self._thread = start_http_server(port, addr=host, registry=self._registry)
        except (OSError, UnicodeError) as error:  # taken, not ours, or a name that cannot be one
            get_logger("supervisor").warning("no metrics are served", address=listen, problem=str(error))

    def close(self) -> None:
        """Stop listening."""
        server, self._server = self._server, None
        self._listen = ""
        if server is not None and self._thread is not None:
            server.shutdown()
            server.server_close()
            self._thread.join()
