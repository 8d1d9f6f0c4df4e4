"""A network camera's stream: opened, watched and closed without anybody waiting for it.

```python
stream = RtspStream(locator, loop, clock, sink, networks=networks, timeout_s=10.0)
...  # sink.opened(facts), then sink.units([...]) once a tick, at last sink.ended(error)
stream.close()
```
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.digest import InTheClear
from lamppost.base.errors import CameraError, StreamEnded, UnsupportedStream
from lamppost.base.loop import Loop, Timer
from lamppost.base.names import Resolve, look_up
from lamppost.ingest.locator import Locator
from lamppost.ingest.rtsp import failures, rtcp
from lamppost.ingest.rtsp.connection import Connection
from lamppost.ingest.rtsp.datagrams import DatagramPair
from lamppost.ingest.rtsp.depacketize import Depacketizer, depacketizer_for
from lamppost.ingest.rtsp.handshake import Conversation
from lamppost.ingest.rtsp.interleaved import Splitter
from lamppost.ingest.rtsp.messages import BadMessage, Message, format_refusal
from lamppost.ingest.rtsp.reorder import ReorderBuffer
from lamppost.ingest.rtsp.rtp import RtpReceiver
from lamppost.ingest.rtsp.sdp import UnusableMedia, VideoMedia, find_video
from lamppost.ingest.stream import Counters, StreamFacts, StreamSink, Transport
from lamppost.ingest.units import AccessUnit
from lamppost.model.networks import CameraNetworks

_LOOK_S: Final = 0.5
_MOST_READS: Final = 64  # a tick, of TLS records of 16 KiB at most
_OWN_SSRC: Final = 0x4C616D70


class RtspStream:
    """One video stream of one camera over RTSP, as a state machine on a loop.

    Redirects are not followed; nothing but video is set up; over UDP nothing falls
    back to TCP, nor the other way. A camera of which no picture comes for
    `timeout_s` has gone silent, whatever else it says.
    """

    def __init__(
        self,
        locator: Locator,
        loop: Loop,
        clock: Clock,
        sink: StreamSink,
        *,
        networks: CameraNetworks,
        timeout_s: float,
        transport: Transport = "tcp",
        certificate_sha256: str | None = None,
        clear: InTheClear | None = None,
        resolve: Resolve = look_up,
    ) -> None:
        self._locator = locator
        self._loop = loop
        self._clock = clock
        self._sink = sink
        self._timeout_s = timeout_s
        self._transport = transport
        self._connection = Connection(
            locator, loop, self, networks=networks, timeout_s=timeout_s, certificate_sha256=certificate_sha256, resolve=resolve
        )
        self._conversation = Conversation(locator, self._connection.send, clear or InTheClear())
        self._splitter = Splitter(self)
        self._datagrams: DatagramPair | None = None
        self._reorder: ReorderBuffer | None = None
        self._media: VideoMedia | None = None
        self._depacketizer: Depacketizer | None = None
        self._receiver: RtpReceiver | None = None
        self._reporter = rtcp.Reporter(_OWN_SSRC)
        self._keepalive = "OPTIONS"
        self._is_open = False
        self._is_over = False
        self._bytes = 0
        self._clock_off_s: float | None = None
        self._heard_s = clock.monotonic_s()
        self._report_due_s = 0.0
        self._keepalive_due_s = 0.0
        self._timer: Timer = loop.call_later(0.0, self._connection.start)
        self._look: Timer = loop.call_later(self._look_s, self._tend)

    @property
    def counters(self) -> Counters:
        """What came since the stream was opened."""
        receiver = self._receiver
        if receiver is None:
            return Counters()
        return Counters(receiver.packets, self._bytes, receiver.lost, receiver.late, self._clock_off_s)

    @property
    def peer(self) -> str:
        """The address that it is connected to, as a number; empty where it is not, or no more."""
        return self._connection.peer

    def close(self) -> None:
        """Say good-bye if that needs no waiting, and let go; may be called twice."""
        if self._is_over:
            return
        url = self._media.session_url if self._media is not None else ""
        self._end_all(self._conversation.farewell(url))

    # What the connection reports.

    def connected(self) -> None:
        self._conversation.request("OPTIONS", self._locator.request_url, self._after_options)

    def failed(self, error: CameraError) -> None:
        self._fail(error)

    def readable(self) -> None:
        """Something came on the connection: take all of it, and hand on the pictures that are whole."""
        self._guarded(self._read)

    # What the splitter finds.

    def took_report(self, content: memoryview) -> None:
        self._take_report(content)

    def took_message(self, message: Message) -> None:
        if message.method:
            self._connection.send(format_refusal(message))
        else:
            self._conversation.take(message)

    # Opening, step by step.

    def _after_options(self, reply: Message) -> None:
        # Whatever it answers, DESCRIBE will tell.
        if "GET_PARAMETER" in (reply.header("public") or "").upper():
            self._keepalive = "GET_PARAMETER"
        self._conversation.request("DESCRIBE", self._locator.request_url, self._after_describe, (("Accept", "application/sdp"),))

    def _after_describe(self, reply: Message) -> None:
        self._require_success(reply)
        base_url = reply.header("content-base") or reply.header("content-location") or self._locator.request_url
        try:
            self._media = find_video(reply.body, base_url)
        except UnusableMedia as error:
            raise failures.offers_no_video(self._locator, str(error)) from error
        self._conversation.request("SETUP", self._media.control_url, self._after_setup, (("Transport", self._transport_offer()),))

    def _transport_offer(self) -> str:
        if self._transport == "tcp":
            return "RTP/AVP/TCP;unicast;interleaved=0-1"
        try:
            own_host, camera_host = self._connection.addresses()
            self._datagrams = DatagramPair(own_host, camera_host, self._loop)
        except OSError as error:
            raise failures.of_os_error(self._locator, error, "opening a pair of UDP ports", self._timeout_s) from error
        return f"RTP/AVP;unicast;client_port={self._datagrams.port}-{self._datagrams.port + 1}"

    def _after_setup(self, reply: Message) -> None:
        self._require_success(reply)
        if self._media is None:
            return
        self._depacketizer = depacketizer_for(self._media.codec)
        self._receiver = RtpReceiver(self._depacketizer, self._media.payload_type)
        answered = reply.header("transport") or ""
        if self._datagrams is None:
            channels = re.search(r"interleaved\s*=\s*([0-9]{1,3})", answered)
            if "client_port" in answered.lower() and channels is None:
                raise self._other_transport("UDP")
            self._splitter.listen(int(channels[1]) if channels is not None else 0, self._receiver)
        else:
            if "interleaved" in answered.lower():
                raise self._other_transport("TCP")
            self._reorder = ReorderBuffer(self._receiver.push)
            self._datagrams.listen(self._datagrams_came)
            port = re.search(r"server_port\s*=\s*([0-9]{1,5})", answered)
            if port is not None:
                self._datagrams.greet(int(port[1]))
        self._conversation.request("PLAY", self._media.session_url, self._after_play, (("Range", "npt=0.000-"),))

    def _other_transport(self, name: str) -> UnsupportedStream:
        return UnsupportedStream(
            f"{self._locator.shown} insists on sending RTP over {name}", remedy='set transport to "tcp" or "udp", whichever it is not now'
        )

    def _after_play(self, reply: Message) -> None:
        self._require_success(reply)
        self._note_open()

    def _note_open(self) -> None:
        """The camera plays: tell the owner, and begin to look after the session."""
        if self._is_open or self._media is None:
            return
        self._is_open = True
        self._connection.doing = "sending"
        now_s = self._clock.monotonic_s()
        self._heard_s = self._report_due_s = now_s
        self._keepalive_due_s = now_s + self._conversation.session_s / 2
        media = self._media
        self._sink.opened(StreamFacts(media.codec, media.parameter_sets, media.interval_90k, origin_90k=0))

    def _require_success(self, reply: Message) -> None:
        if not 200 <= reply.status < 300:
            raise failures.of_status(self._locator, reply)

    # Data.

    def _read(self) -> None:
        scratch, splitter, connection = self._loop.scratch, self._splitter, self._connection
        for _ in range(_MOST_READS):
            begin = splitter.restore(scratch)
            length = connection.receive_into(scratch[begin:])
            if length <= 0:
                splitter.keep(scratch, 0, begin)
                break
            try:
                splitter.split(scratch, begin + length)
            except BadMessage as error:
                raise failures.is_no_camera(self._locator) from error
            if self._is_over:
                return
            self._deliver()
            if self._is_over or not connection.pending_bytes():
                return
        else:
            self._loop.call_later(0.0, self.readable)
            return
        if length < 0:
            self._hung_up()

    def _datagrams_came(self) -> None:
        self._guarded(self._read_datagrams)

    def _read_datagrams(self) -> None:
        datagrams, reorder, depacketizer = self._datagrams, self._reorder, self._depacketizer
        if datagrams is None or reorder is None or depacketizer is None:
            return
        now_s = self._clock.monotonic_s()
        datagrams.receive(self._loop.scratch, lambda view, start, end: reorder.push(view, start, end, now_s), depacketizer.settle)
        reorder.expire(now_s)
        for content in datagrams.reports():
            self._take_report(memoryview(content))
        self._deliver()

    def _deliver(self) -> None:
        """Hand on the units that are whole; keep nothing that lies in the shared buffer."""
        depacketizer = self._depacketizer
        if depacketizer is None:
            return
        depacketizer.settle()
        assembled = depacketizer.assembled
        if not assembled:
            return
        self._note_open()
        if self._is_over:
            return
        arrival_us, arrival_s = self._clock.wall_us(), self._clock.monotonic_s()
        self._heard_s = arrival_s
        units = [
            AccessUnit(one.data, one.pts_90k, None, 0, one.is_corrupt, arrival_us, arrival_s, False, one.borders, one.lost)
            for one in assembled
        ]
        assembled.clear()
        for unit in units:
            self._bytes += len(unit.data)
        self._sink.units(units)

    def _take_report(self, content: memoryview) -> None:
        if self._receiver is None:
            return
        said = rtcp.parse_rtcp(content, self._receiver.ssrc)
        if said.report is not None:
            self._reporter.heard(said.report, self._clock.monotonic_s())
            self._clock_off_s = rtcp.clock_off_s(said.report, self._clock.wall_us())
        if said.has_left:
            self._hung_up()

    def _hung_up(self) -> None:
        if not self._is_open:
            raise failures.hung_up(self._locator, self._connection.doing)
        if self._depacketizer is not None:
            self._depacketizer.flush()
            self._deliver()
        raise StreamEnded(f"{self._locator.shown} ended the stream", remedy="it is opened again")

    # Looking after the session.

    @property
    def _look_s(self) -> float:
        return min(_LOOK_S, self._timeout_s / 4)

    def _tend(self) -> None:
        self._guarded(self._look_after)
        if not self._is_over:
            self._look = self._loop.call_later(self._look_s, self._tend)

    def _look_after(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._heard_s > self._timeout_s:
            raise failures.went_silent(self._locator, self._connection.doing, self._timeout_s)
        self._connection.flush()
        if not self._is_open or self._is_over:
            return
        if self._reorder is not None:
            self._reorder.expire(now_s)
            self._deliver()
        if now_s >= self._report_due_s:
            self._report_due_s = now_s + rtcp.INTERVAL_S
            self._send_report(now_s)
        if now_s >= self._keepalive_due_s and self._media is not None:
            self._keepalive_due_s = now_s + self._conversation.session_s / 2
            if self._conversation.is_waiting:
                # It did not answer the last one. To be silent now would end the session of a camera that counts requests.
                self._keepalive = "OPTIONS"
            self._conversation.request(self._keepalive, self._media.session_url, self._after_keepalive)

    def _after_keepalive(self, reply: Message) -> None:
        # 405, 501, 551: it does not know how. That a session is gone shows in its silence.
        if reply.status >= 400:
            self._keepalive = "OPTIONS"

    def _send_report(self, now_s: float) -> None:
        receiver = self._receiver
        if receiver is None or receiver.ssrc < 0:
            return
        content = self._reporter.make(receiver.ssrc, receiver.packets, receiver.lost, receiver.highest_sequence, now_s)
        if self._datagrams is not None:
            self._datagrams.send_report(content)
        else:
            self._connection.send(self._splitter.frame_report(content))

    # The end.

    def _guarded(self, work: Callable[[], None]) -> None:
        """Run `work`; a camera's error, or one of the connection, ends the stream."""
        if self._is_over:
            return
        try:
            work()
        except CameraError as error:
            self._fail(error)

    def _fail(self, error: CameraError) -> None:
        if self._is_over:
            return
        self._end_all(b"")
        self._sink.ended(error)

    def _end_all(self, farewell: bytes) -> None:
        self._is_over = True
        self._timer.cancel()
        self._look.cancel()
        self._connection.close(farewell)
        if self._datagrams is not None:
            self._datagrams.close()
