"""A camera's network of its own: a namespace with a cable to this machine that can lose packets.

    with CameraNetwork() as network:
        network.lose(5)                       # percent of what the camera sends
        server = subprocess.Popen([*network.prefix, "/usr/bin/python3", ".../rtsp_server.py", "--address", network.camera_address, ...])
        url = f"rtsp://{network.camera_address}:{port}/cam0"

Root and `ip` are needed, and either `tc`'s netem or `nft`, whichever the kernel has;
`why_not()` says what is missing. Everything is removed at the end, also after a failure, and
names and addresses are a process's own, so that tests may run beside each other.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
from functools import cache
from types import TracebackType
from typing import Self

_NUMBERS = itertools.count()


def why_not() -> str:
    """Why no such network can be made here; empty where it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "the command ip is not installed (Debian: iproute2)"
    return _try_loss()


@cache
def _try_loss() -> str:
    try:
        with CameraNetwork() as network:
            network.lose(1)
    except subprocess.CalledProcessError as error:
        return f"{' '.join(error.cmd)}: {error.stderr.decode(errors='replace').strip()}"
    except OSError as error:
        return str(error)
    return ""


class CameraNetwork:
    """A namespace and a veth pair; the camera is at `camera_address`, this machine at `our_address`."""

    def __init__(self) -> None:
        number = (os.getpid() * 8 + next(_NUMBERS) % 8) & 0x3FFF
        self._name = f"lp{os.getpid():x}n{number % 8}"
        self._ours, self._theirs = f"{self._name}a", f"{self._name}b"
        base = f"10.{200 + (number >> 12)}.{number >> 4 & 0xFF}"
        low = (number & 0xF) << 4
        self.our_address, self.camera_address = f"{base}.{low + 1}", f"{base}.{low + 2}"
        self.prefix: tuple[str, ...] = ("ip", "netns", "exec", self._name)
        self.means = ""  # what loses the packets

    def __enter__(self) -> Self:
        try:
            self._make()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _make(self) -> None:
        _run("ip", "netns", "add", self._name)
        _run("ip", "link", "add", self._ours, "type", "veth", "peer", "name", self._theirs, "netns", self._name)
        _run("ip", "address", "add", f"{self.our_address}/28", "dev", self._ours)
        _run("ip", "link", "set", self._ours, "up")
        _run("ip", "-n", self._name, "address", "add", f"{self.camera_address}/28", "dev", self._theirs)
        _run("ip", "-n", self._name, "link", "set", self._theirs, "up")
        _run("ip", "-n", self._name, "link", "set", "lo", "up")

    def lose(self, percent: float) -> None:
        """From now on lose `percent` of the packets that the camera sends, at random; 0 mends the cable."""
        if self.means != "nft":
            try:
                # The queue's limit is well above what a camera sends at once.
                _run(*self.prefix, "tc", "qdisc", "replace", "dev", self._theirs, "root", "netem", "loss", f"{percent}%", "limit", "20000")
                self.means = "tc netem"
            except (subprocess.CalledProcessError, FileNotFoundError):
                if self.means or shutil.which("nft") is None:
                    raise
            else:
                return
        self._lose_by_nft(percent)

    def _lose_by_nft(self, percent: float) -> None:
        # Where they come out of the cable: a drop on the way out would be told to the sender.
        rules = [
            *([f"delete table netdev {self._name}"] if self.means else []),
            f"add table netdev {self._name}",
            f"add chain netdev {self._name} loss {{ type filter hook ingress device {self._ours} priority 0; policy accept; }}",
            *([f"add rule netdev {self._name} loss numgen random mod 100000 < {round(percent * 1000)} drop"] if percent else []),
        ]
        _run("nft", "\n".join(rules))
        self.means = "nft"

    def cut(self) -> None:
        """Pull the cable: nothing gets through, and nobody is told."""
        _run("ip", "-n", self._name, "link", "set", self._theirs, "down")

    def mend(self) -> None:
        """Put the cable back."""
        _run("ip", "-n", self._name, "link", "set", self._theirs, "up")

    def close(self) -> None:
        """Remove everything; what runs in the namespace keeps it alive without a cable."""
        with contextlib.suppress(OSError):
            for command in (
                ("ip", "link", "delete", self._ours),
                ("ip", "netns", "delete", self._name),
                *((("nft", "delete", "table", "netdev", self._name),) if self.means == "nft" else ()),
            ):
                subprocess.run(command, capture_output=True, check=False)


def _run(*command: str) -> None:
    subprocess.run(command, capture_output=True, check=True)
