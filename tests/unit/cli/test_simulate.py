"""`lamppost simulate camera` tells in one line where it is, answers, and ends cleanly when it is told to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from typer.testing import Result

from asked_camera import LOOPBACK
from lamppost.base.clock import SystemClock
from lamppost.cameras.web import DeviceAddress, DeviceWeb

Lamppost = Callable[..., Result]
_COMMAND = (sys.executable, "-m", "lamppost.cli.main", "simulate", "camera", "--port", "0", "--no-discovery")


@pytest.mark.parametrize(
    ("number", "options"),
    [
        (signal.SIGTERM, ("--rtsp", "rtsp://192.0.2.7/street")),
        (signal.SIGINT, ("--rtsp-port", "0", "--street", "sim://plaza?people=0&vehicles=0")),
    ],
)
def test_it_tells_where_it_is_answers_and_ends(number: signal.Signals, options: tuple[str, ...]) -> None:
    command = [*_COMMAND, "--vendor", "dahua", "--number", "9", "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = json.loads(process.stdout.readline())
        with DeviceWeb(
            DeviceAddress.of(told["device_url"].partition("/onvif")[0]),
            LOOPBACK,
            SystemClock(),
            username=told["username"],
            password=told["password"],
        ) as web:
            assert web.get("/cgi-bin/magicBox.cgi?action=getSerialNo").content == f"sn={told['serial']}\r\n".encode()
        process.send_signal(number)
        assert process.wait(10) == 0
        assert (process.stdout.read(), process.stderr.read()) == ("", "")
    assert told["rtsp"].startswith("rtsp://192.0.2.7/street" if "--rtsp" in options else "rtsp://127.0.0.1:")
    assert len(told["password"]) >= 16, "made up, and not to be guessed"


# In everything that the handler calls, once: the other signal, as the system may bring it at any moment.
_SECOND_SIGNAL = """
import signal, sys
from lamppost.cli.simulate import _told_to_stop

calls = []

def again(frame, event, _):
    key = (frame.f_code.co_qualname, event)
    if frame.f_code is not again.__code__ and key not in calls:
        calls.append(key)
        signal.raise_signal(signal.SIGTERM)

with _told_to_stop() as told:
    sys.setprofile(again)
    signal.raise_signal(signal.SIGINT)
    sys.setprofile(None)
    told.get(timeout=1)
assert any(name.endswith("tell") for name, _ in calls), calls
"""


def test_a_second_signal_may_come_while_the_first_is_handled() -> None:
    assert subprocess.run((sys.executable, "-c", _SECOND_SIGNAL), timeout=15, check=False).returncode == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--vendor", "huawei"), "hikvision"),
        (("--able", "tea"), "detect"),
        (("--able", "detect", "--vendor", "axis"), "onvif"),
        (("--fault", "sleepy"), "timeout"),
        (("--street", "rtsp://192.0.2.1/"), "sim://"),
        (("--address", "localhost"), "127.0.0.1"),
        (("--username", ""), "--username"),
        (("--username", 'a"b'), "--username"),
        (("--rtsp", "http://192.0.2.7/"), "rtsp://"),
        (("--rtsp", "street.mp4"), "rtsp://"),
        (("--address", "192.0.2.1"), "192.0.2.1:0 cannot be used: Cannot assign requested address — "),
        (("--tls", "--address", "localhost"), "no address"),
        (("--address", "192.0.2.1", "--rtsp", "rtsp://192.0.2.7/"), "192.0.2.1"),
    ],
)
def test_wrong_input_is_one_line(lamppost: Lamppost, options: tuple[str, ...], said: str) -> None:
    result = lamppost("simulate", "camera", "--port", "0", "--rtsp-port", "0", "--no-discovery", *options)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output


def test_help_shows_how_a_fault_is_written(lamppost: Lamppost) -> None:
    assert "KIND@PATH=DETAIL" in " ".join(lamppost("simulate", "camera", "--help").output.replace("│", " ").split())
