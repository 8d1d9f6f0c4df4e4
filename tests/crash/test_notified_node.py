"""A whole node that is told of a carrier while it runs: an alarm of its own arrives, signed, and a carrier that hangs delays no stop."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from node import Node, wait_until

from faulty_http import Answer, FaultyServer, Request
from lamppost.notify.signature import is_signed

URL = "sim://plaza?seed=3&people=1&vehicles=0&width=320&height=180&fps=5"
SECRET = "kanarienvogel-geheim"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path, URL)
    yield node
    node.kill_everything()


def test_an_alarm_of_the_node_arrives_and_a_carrier_that_hangs_delays_no_stop(node: Node) -> None:
    (node.folder / "hook.secret").write_text(f"{SECRET}\n")
    (node.folder / "hook.secret").chmod(0o600)
    with FaultyServer(lambda request: Answer(wait_s=30 if request.path == "/slow" else 0)) as server:
        node.start()
        wait_until(lambda: node.fragments("recorder") >= 1, "a recording")
        assert not node.pids("notifier"), "nobody is to be told"
        tables = "".join(
            f'[[notify]]\nname = "{name}"\ntype = "webhook"\nurl = "{server.url(f"/{name}")}"\nsecret_file = "hook.secret"\n'
            for name in ("hook", "slow")
        )
        node.replace_config(f'site = "Old Town"\n{node.config.read_text()}\n{tables}')
        wait_until(lambda: bool(node.pids("notifier")), "the notifier, some seconds after the file has changed")
        for _ in range(3):
            node.kill("analyst")
            wait_until(lambda: bool(node.pids("analyst")), "the next one")
        requests: list[Request] = []
        wait_until(lambda: requests.extend(one for one in server.drain() if one.path == "/hook") or bool(requests), "the alarm")
        request = requests[0]
        document = json.loads(request.body)
        assert (document["type"], document["phase"], document["severity"]) == ("process_failing", "start", "alarm")
        assert (document["site"], document["camera"]) == ("Old Town", None)
        assert "keeps dying" in document["note"]
        stamp = int(request.headers["Lamppost-Timestamp"])
        assert is_signed(SECRET, request.body, request.headers["Lamppost-Signature"], now_s=stamp)
        node.await_fragments(1, "analyst")
        assert node.stop() <= 5.0
    listed = json.loads(node.run("notify", "list", "-c", str(node.config), "--json").stdout)
    assert [one["waiting"] for one in listed if one["name"] == "slow"] == [2], "start and end wait for the next start"
    node.check()
    assert SECRET not in node.log()
