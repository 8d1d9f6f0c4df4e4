"""Gives Lamppost addresses, names and archives that mean harm, and notes every socket, name and file that comes of it.

Run in a process of its own: an audit hook cannot be taken away again. Prints one JSON object.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import socket
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from typer.testing import CliRunner

from configured_node import ConfiguredNode
from lamppost.api.permit import API
from lamppost.base.clock import ManualClock, SystemClock
from lamppost.base.errors import LamppostError
from lamppost.cameras.web import DeviceAddress, DeviceWeb
from lamppost.cli.main import app
from lamppost.model.layout import DataFolder
from lamppost.model.networks import CameraNetworks
from lamppost.pipeline.config_file import ConfigFile
from lamppost.store.backup_file import ABOUT, FORMAT, INDEX, KEYS, SUMS
from lamppost.store.restore import restore_backup

TRAP = "{port}"  # where something listens that must never be reached

HOSTS = [
    *["127.0.0.1", "127.0.0.2", "127.255.255.254", "localhost", "localhost.", "LOCALHOST", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]"],
    *["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::1]"],
    *["[64:ff9b:1::7f00:1]", "[fe80::1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[::1%lo]", "0.0.0.0", "0", "0.0.0.1"],  # noqa: S104
    *["2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "127.0.0.1.", "127.0.0.0x1"],
    *["169.254.169.254", "[::ffff:169.254.169.254]", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "169.254.170.2"],
    *["[fd00:ec2::254]", "[fd20:ce::254]", "100.100.100.200", "168.63.129.16", "192.0.0.192", "169.254.1.1", "metadata.google.internal"],
    *["rebind.example", "both.example", "keys.example", "mapped.example", "here.example", "0.0.0.0.example"],
    *["8.8.8.8", "[2001:4860:4860::8888]", "224.0.0.1", "255.255.255.255", "[ff02::1]", "240.0.0.1", "11.0.0.1", "172.32.0.1"],
]
TRICKS = [
    *["user:secret@127.0.0.1", "10.0.0.1@127.0.0.1", "10.0.0.1:80@127.0.0.1", "10.0.0.1\\@127.0.0.1", "127.0.0.1\\.example", "@127.0.0.1"],
    *[
        "127.0.0.1#@10.0.0.1",
        "127.0.0.1?@10.0.0.1",
        "10.0.0.1%00.127.0.0.1",
        "127.0.0.1%2f",
        "127.0.0.1%23",
        "%31%32%37.0.0.1",
        "127。0。0。1",
    ],
    *[
        "127.0.0.1\r\nHost: x",
        "127.0.0.1\tx",
        "127.0.0.1\0",
        " 127.0.0.1",
        "127.0.0.1 ",
        "①②⑦.0.0.1",
        "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
        "\uff11\uff12\uff17.0.0.1",
    ],
    *["[127.0.0.1]", "[::1", "::1", "[::1]]", "[::1]x", "[v1.x]", "a" * 300, "a..b", "-x", "x-", ""],
]
SCHEMES = ["rtsp", "rtsps", "http", "https"]
OTHERS = [
    *["file:///etc/passwd", "file:/etc/passwd", "file://localhost/etc/passwd", "file:../../etc/passwd", "/etc/passwd", "ftp://127.0.0.1/x"],
    *[
        "gopher://127.0.0.1:{port}/_x",
        "dict://127.0.0.1:{port}/x",
        "ldap://127.0.0.1:{port}",
        "unix:///tmp/x.sock",
        "jar:http://127.0.0.1!/x",
    ],
    *[
        "concat:/etc/passwd|x",
        "subfile,,start,0,end,9,,:/etc/passwd",
        "data:text/plain,x",
        "pipe:0",
        "tcp://127.0.0.1:{port}",
        "udp://127.0.0.1",
    ],
    *["rtmp://127.0.0.1:{port}", "srt://127.0.0.1:{port}", "hls+http://127.0.0.1:{port}", "crypto:/etc/passwd", "async:file:/etc/passwd"],
    *[
        "//127.0.0.1:{port}/x",
        "http:127.0.0.1",
        "http:/127.0.0.1",
        "http:\\\\127.0.0.1",
        "rtsp:127.0.0.1",
        "rtsp:/127.0.0.1",
        "javascript:1",
    ],
]
NAMES = [
    *[
        "../evil",
        "../../evil",
        "..",
        ".",
        "",
        "/evil",
        "/tmp/evil",
        "a/../../evil",
        "a/b",
        "a\\b",
        "..\\evil",
        "a\0b",
        "evil\n",
        "\nevil",
        " evil",
    ],
    *["evil ", "EVIL", "e vil", "ev:il", "ev*il", "ev?il", "$(touch evil)", "`touch evil`", ";touch evil", "|evil", "-rf", "--config=evil"],
    *[
        "%2e%2e%2fevil",
        "..%2fevil",
        "%00",
        "..;/evil",
        "\u2025/evil",
        "\uff0e\uff0e/evil",
        "\u2170",
        "ä",
        "\u202eevil",
        "a" * 64,
        "a" * 5000,
    ],
    *[
        "con\u0000",
        "node",
        "*",
        "site:x",
        "evil.",
        ".evil",
        "e..vil",
        "~",
        "~root",
        "~/evil",
        "{{evil}}",
        "${evil}",
        "evil\u2028",
        "\ud800"[:0] + "_",
    ],
]
ARCHIVES = [
    *["../evil", "../../../../tmp/evil", "/tmp/evil", "a/../../evil", "keys/../../evil", "keys/cameras/../../../evil.password", "evil"],
    *["./evil", "keys/cameras/..password", "keys/cameras/a/b.password", "journal/../evil.jsonl", "journal/a/../../b.jsonl", "vault/share"],
    *["journal/a/b.jsonl/c.jsonl", "journal/ä/b.jsonl", "index/../index/index.db", "index/index.db/", "keys//recorder.key", "a" * 300],
    "configuration/../lamppost.toml",
]
KINDS = {
    "symlink": tarfile.SYMTYPE, "link": tarfile.LNKTYPE, "character": tarfile.CHRTYPE, "block": tarfile.BLKTYPE,
    "fifo": tarfile.FIFOTYPE, "folder": tarfile.DIRTYPE, "sparse": tarfile.GNUTYPE_SPARSE, "unknown": b"Z",
}  # fmt: skip
LEADS_TO = {
    "localhost": ["127.0.0.1", "::1"],
    "metadata.google.internal": ["169.254.169.254"],
    "rebind.example": ["10.0.0.1", "127.0.0.1"],
    "both.example": ["169.254.169.254", "127.0.0.1"],
    "keys.example": ["fd00:ec2::254"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "here.example": ["0.0.0.0"],  # noqa: S104
    "0.0.0.0.example": ["127.0.0.1"],
}
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")


class Watch:
    """What the process does that could be harm."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.connections: list[str] = []
        self.files: list[str] = []
        self.commands: list[str] = []
        self.odd_names: list[str] = []
        self.given = ""
        self.is_on = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_on:
            return
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            if isinstance(arguments[1], tuple) and not str(arguments[1][0]).startswith("10."):  # the one that may be a camera
                self.connections.append(f"{event} {arguments[1]} of {self.given}")
        elif event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
            self.commands.append(f"{event} {arguments[0]} of {self.given}")
        elif event == "open":
            path, _, flags = arguments
            if isinstance(path, (str, bytes)) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and os.fsdecode(path) != os.devnull:
                self._writes(event, os.fsdecode(path))
        elif event in ("os.mkdir", "os.rename", "os.link", "os.symlink", "os.truncate", "os.remove", "os.rmdir", "os.chmod", "os.mkfifo"):
            for path in arguments[:2]:
                if isinstance(path, (str, bytes, os.PathLike)):
                    self._writes(event, os.fsdecode(os.fspath(path)))

    def _writes(self, event: str, path: str) -> None:
        if not os.path.realpath(path).startswith(f"{self.root}{os.sep}"):
            self.files.append(f"{event} {path} of {self.given}")


def fake_names(watch: Watch, port: int) -> None:
    """A name server of the attacker's own."""
    real = socket.getaddrinfo

    def look_up(host: Any, place: Any, *rest: Any, **options: Any) -> Any:
        if host is None or options.get("flags", 0) & socket.AI_NUMERICHOST or host == "127.0.0.1":
            return real(host, place, *rest, **options)
        text = str(host).lower()
        if not _NAME.fullmatch(text) or re.search(r"(^|\.)(0x[0-9a-f]*|[0-9]+)\.?$", text):
            watch.odd_names.append(text)
        numbers = LEADS_TO.get(text.removesuffix("."), [])
        if not numbers:
            raise socket.gaierror(socket.EAI_NONAME, "nobody knows it")
        return [entry for number in numbers for entry in real(number, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)]

    socket.getaddrinfo = look_up


def urls(port: int) -> Iterator[str]:
    for scheme, host in itertools.product(SCHEMES, [*HOSTS, *TRICKS]):
        yield f"{scheme}://{host}:{port}/x?token=1" if host in HOSTS else f"{scheme}://{host}/x"
    yield from (other.replace(TRAP, str(port)) for other in OTHERS)


class Inputs:
    """Each way in, and what it said to each thing."""

    def __init__(self, root: Path, watch: Watch) -> None:
        self.root = root
        self.watch = watch
        self.outcomes: Counter[str] = Counter()
        self.node = ConfiguredNode.configured(root / "node")
        self.client = self.node.client()
        self.client.raise_server_exceptions = False  # a 500 is counted below

    def tried(self, way: str, given: str, call: Callable[[], str]) -> None:
        self.watch.given = f"{way} {given[:80]!r}"
        try:
            self.outcomes[f"{way}: {call()}"] += 1
        except LamppostError as error:
            self.outcomes[f"{way}: {type(error).__name__}"] += 1

    def asked(self, method: str, path: str, body: object = None) -> str:
        clock = self.node.context.clock
        assert isinstance(clock, ManualClock)
        clock.advance(60)  # nobody is held up by how fast one may ask
        answer = self.client.request(method, path, json=body)
        assert answer.status_code < 500, f"{answer.status_code} for {self.watch.given}"
        if answer.status_code == 200 and path.endswith("/test"):
            return "tried" if answer.json()["ok"] else "not connected"
        return str(answer.status_code)

    def device(self, url: str) -> str:
        with DeviceWeb(DeviceAddress.of(url), CameraNetworks(), SystemClock(), username="u", password="p", timeout_s=0.2) as web:
            return str(web.get("/x").status)

    def command(self, *arguments: str) -> str:
        result = CliRunner().invoke(app, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit), f"{result.exception!r} for {self.watch.given}"
        return f"exit {result.exit_code}"


def try_urls(inputs: Inputs, port: int) -> int:
    config = str(inputs.node.config)
    tried, others = list(urls(port)), [other.replace(TRAP, str(port)) for other in OTHERS]
    for url in tried:
        if url.startswith("http") or url in others:
            inputs.tried("device", url, partial(inputs.device, url))
        if url.startswith("http"):
            continue
        inputs.tried("POST /cameras/test", url, partial(inputs.asked, "POST", f"{API}/cameras/test", {"url": url}))
        inputs.tried("POST /cameras", url, partial(inputs.asked, "POST", f"{API}/cameras", {"name": "harbour", "url": url}))
        file = ConfigFile(inputs.node.config)
        if file.camera("harbour") is not None:
            file.remove("harbour")
            file.replace()
        if url.startswith("rtsp:"):
            body = {"url": url, "transport": "udp"}
            inputs.tried("POST /cameras/test udp", url, partial(inputs.asked, "POST", f"{API}/cameras/test", body))
        if not url.startswith(("file:", "/")) and ":" in url:  # a file is for whoever has a shell
            inputs.tried("camera test", url, partial(inputs.command, "camera", "test", "--config", config, "--seconds", "1", "--", url))
    return len(tried)


def added(config: Path, name: str) -> str:
    return ConfigFile(config).add(name, {"url": "sim://plaza"}).name


def try_names(inputs: Inputs) -> int:
    folder = inputs.node.context.folder
    for name in NAMES:
        body = {"name": name, "url": "sim://plaza?seed=1", "site": name, "password": "secret"}
        inputs.tried("POST /cameras name", name, partial(inputs.asked, "POST", f"{API}/cameras", body))
        spelled = quote(name, safe="")
        for path in (f"{API}/cameras/{spelled}", f"{API}/cameras/{spelled}/timeline", f"/{spelled}"):
            inputs.tried("GET", name, partial(inputs.asked, "GET", path))
        inputs.tried("ConfigFile", name, partial(added, inputs.node.config, name))
        inputs.tried(
            "camera add", name, partial(inputs.command, "camera", "add", "--config", str(inputs.node.config), "--", name, "sim://plaza")
        )
    assert not [path for path in folder.root.rglob("*evil*")], "a name has become a file"
    return len(NAMES)


def archive(*members: tuple[tarfile.TarInfo, bytes], format_: int = tarfile.PAX_FORMAT) -> bytes:
    """A backup with a right list of hashes, so that nothing but what it holds speaks against it."""
    about = json.dumps({"made_us": 1, "lamppost": "1", "index_revision": "x", "format": FORMAT}).encode()
    plain = [(ABOUT, about), *((name, b"x") for name in (INDEX, *KEYS))]
    file, sums = io.BytesIO(), []
    with tarfile.open(fileobj=file, mode="w:", format=format_) as tar:
        entries = [(tarfile.TarInfo(name), content) for name, content in plain]
        for info, content in [*entries, *members]:
            if info.isreg() and not info.size:
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
            sums.append(f"{sha256(content).hexdigest()}  {info.name}\n")
        listed = tarfile.TarInfo(SUMS)
        listed.size = len("".join(sums).encode())
        tar.addfile(listed, io.BytesIO("".join(sums).encode()))
    return file.getvalue()


def archives() -> Iterator[tuple[str, bytes]]:
    for name in ARCHIVES:
        yield name, archive((tarfile.TarInfo(name), b"evil"))
        hidden = tarfile.TarInfo("journal/a/b.jsonl")
        hidden.pax_headers = {"path": name}
        yield f"pax {name}", archive((hidden, b"evil"))
    for kind, type_ in KINDS.items():
        for target in ("/etc/passwd", "../../../evil", INDEX):
            info = tarfile.TarInfo("journal/a/evil.jsonl")
            info.type, info.linkname = type_, target
            yield f"{kind} {target}", archive((info, b""), format_=tarfile.GNU_FORMAT)
    bomb = tarfile.TarInfo("journal/a/evil.jsonl")
    bomb.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "journal/a/evil.jsonl",
        "GNU.sparse.realsize": str(1 << 42),
    }
    yield "sparse bomb", archive((bomb, b"1\n4398046511104\n0\n".ljust(1024, b"\0")))
    older = tarfile.TarInfo("journal/a/evil.jsonl")
    older.pax_headers = {"GNU.sparse.size": str(1 << 42), "GNU.sparse.map": "4398046511103,1"}
    yield "older sparse bomb", archive((older, b"x"))
    large = tarfile.TarInfo("journal/a/evil.jsonl")
    large.pax_headers = {"size": str(1 << 50)}
    yield "a size that lies", archive((large, b"x"))
    yield "twice", archive((tarfile.TarInfo(INDEX), b"y"))
    yield "cut off", archive()[:2000]
    yield "empty", b""
    yield "zeros", bytes(10_240)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("../../evil", b"evil")
        file.writestr("journal/a/b.jsonl", bytes(1 << 22))
    yield "zip", packed.getvalue()
    for mode in ("w:gz", "w:bz2", "w:xz"):
        squeezed = io.BytesIO()
        with tarfile.open(fileobj=squeezed, mode=mode) as tar:  # type: ignore[call-overload]
            info = tarfile.TarInfo(INDEX)
            info.size = 1 << 22
            tar.addfile(info, io.BytesIO(bytes(1 << 22)))
        yield mode, squeezed.getvalue()


def restored(folder: DataFolder, backup: Path) -> str:
    return str(restore_backup(folder, backup, clock=SystemClock(), force=True))


def try_archives(inputs: Inputs) -> int:
    tried = list(archives())
    for what, content in tried:
        path = inputs.root / "backup.tar"
        path.write_bytes(content)
        folder = DataFolder(inputs.root / "restored" / "data")
        folder.root.mkdir(parents=True, exist_ok=True)
        inputs.tried("restore", what, partial(restored, folder, path))
        assert not folder.index.exists(), f"{what} was put in place"
    left = [str(path) for path in (inputs.root / "restored").rglob("*") if path.is_file() and path.name != "supervisor.lock"]
    assert not left, left
    return len(tried)


def main(root: Path) -> None:
    watch = Watch(root)
    sys.addaudithook(watch)
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        port = trap.getsockname()[1]
        inputs = Inputs(root, watch)
        os.chdir(root)
        inputs.asked("GET", f"{API}/cameras")  # all that is imported late is imported now
        inputs.command("--help")
        fake_names(watch, port)
        watch.is_on = True
        counts = {"urls": try_urls(inputs, port), "names": try_names(inputs), "archives": try_archives(inputs)}
        watch.is_on = False
        try:
            trap.accept()
            watch.connections.append("something came to the trap")
        except BlockingIOError:
            pass
        inputs.node.close()
    outcomes = dict(sorted(inputs.outcomes.items()))
    harm = {"connections": watch.connections, "files": watch.files, "commands": watch.commands, "odd_names": watch.odd_names}
    sys.stdout.write(json.dumps({"counts": counts, "tried": sum(outcomes.values()), "outcomes": outcomes, **harm}))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
