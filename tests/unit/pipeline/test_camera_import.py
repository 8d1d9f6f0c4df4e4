"""Every mistake of a table is told before anything is written; then all of it is written, and a second time nothing is."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from import_drawer import Drawer
from lamppost.base.clock import ManualClock
from lamppost.base.errors import ConfigChanged, ConfigError
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.camera_import import Action, ImportPlan, Options, kept_passwords, put
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.import_books import password_of, planned

CUSTODIANS = json.dumps(["age1" + letter * 58 for letter in "qpz"])
TEXT = f"""# ours
data = "data"
site = "Old Town"

[sealing]
custodians = {CUSTODIANS}
threshold = 2

[[camera]]
name = "gate"
url = "rtsp://eve:old@10.1.0.1/main"  # since May

[[notify]]
name = "hook"
type = "webhook"
url = "http://127.0.0.1:9/hook"
secret_file = "secret"
"""


class Town:
    """A configuration, a drawer, and where cameras came from."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lamppost.toml"
        self.path.write_text(TEXT)
        self.drawer = Drawer()
        self.origins = self.drawer.known

    def plan(self, text: str, **options: Any) -> ImportPlan:
        return planned(text.encode(), self.path, Options(**options), self.drawer)[0]

    def password(self, name: str) -> str | None:
        return password_of(self.camera(name), self.drawer)

    def write(self, text: str, **options: Any) -> ImportPlan:
        plan = self.plan(text, **options)
        assert plan.problems == ()
        with kept_passwords(plan, self.drawer) as credentials:
            file = ConfigFile(self.path)
            put(plan, file, credentials)
            file.replace()
        self.drawer.set_origins(plan.origins)
        return plan

    def camera(self, name: str) -> CameraSettings:
        camera = ConfigFile(self.path).camera(name)
        assert camera is not None
        return camera

    def problems(self, text: str, **options: Any) -> list[tuple[int, str]]:
        return [(problem.line, problem.column) for problem in self.plan(text, **options).problems]


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


GOOD = """\
name;title;address;vendor;channel;url;username;password;transport;preset;schedule;site;sealed_days;device_url;installed;cost;currency
park;;10.1.0.2;Hikvision;3;;root;s3cret;;all;mon-fri 06:00-20:00|sat,sun 08:00-24:00;Harbour;0,5;http://10.1.0.2:8000;2024-05-31;1250,5;EUR
;Große Straße, Nord;10.1.0.3:5554;dahua;;;;;udp;;;;;;;;
pier;;;;;rtsp://ann:two%20words@10.1.0.4/live;;;;;;Harbour;;;;;
"""


def test_a_table_becomes_cameras(town: Town) -> None:
    plan = town.write(GOOD)
    assert [(each.name, each.action) for each in plan.cameras] == [(name, Action.ADD) for name in ("park", "grosse-strasse-nord", "pier")]
    park, north, pier = (town.camera(each.name) for each in plan.cameras)
    assert (park.url, park.sub_url) == ("rtsp://10.1.0.2/Streaming/Channels/301", "rtsp://10.1.0.2/Streaming/Channels/302")
    assert park.schedule == ("mon-fri 06:00-20:00", "sat,sun 08:00-24:00")
    assert (park.preset, park.site, park.sealed_days, park.device_url) == ("all", "Harbour", 0.5, "http://10.1.0.2:8000")
    assert (north.url, north.transport) == ("rtsp://10.1.0.3:5554/cam/realmonitor?channel=1&subtype=0", "udp")
    assert (pier.url, pier.username) == ("rtsp://10.1.0.4/live", "ann")
    assert [town.password(each.name) for each in (park, north, pier)] == ["s3cret", None, "two words"]
    assert town.origins["park"] == {"vendor": "Hikvision", "installed": date(2024, 5, 31), "cost": 1250.5, "currency": "EUR"}
    text = town.path.read_text()
    assert all(line in text for line in TEXT.splitlines())
    assert [word for word in ("s3cret", "two") if word in text or word in repr(plan)] == []


def test_a_second_time_nothing_changes(town: Town) -> None:
    town.write(GOOD)
    before = town.path.read_text(), dict(town.drawer.kept)
    plan = town.write(GOOD)
    assert {each.action for each in plan.cameras} == {Action.UNCHANGED}
    assert not plan.has_work
    assert plan.acts("ada", ManualClock()) == ()
    assert (town.path.read_text(), town.drawer.kept) == before


def test_a_camera_that_is_there_changes_only_when_that_is_said(town: Town) -> None:
    town.write(GOOD)
    other = "name,username,password,site\npark,root,other,Bridge\n"
    assert town.problems(other) == [(2, "name")]
    assert "password, site" in town.plan(other).problems[0].problem
    old = town.camera("park").credential
    plan = town.write(other, may_update=True)
    assert [(each.name, each.action, each.keys) for each in plan.cameras] == [("park", Action.CHANGE, ("password", "site"))]
    park = town.camera("park")
    assert (park.site, park.url, town.password("park")) == ("Bridge", "rtsp://10.1.0.2/Streaming/Channels/301", "other")
    assert old not in town.drawer.kept


def test_what_is_said_of_a_camera_s_origin_for_the_first_time_needs_no_leave(town: Town) -> None:
    text = "name,contract\ngate,T-17\n"
    assert town.write(text).origins == {"gate": {"contract": "T-17"}}
    assert not town.plan(text).has_work
    assert town.problems("name,contract\ngate,T-18\n") == [(2, "name")]
    assert town.write("name,contract,note\ngate,T-18,=1+1\n", may_update=True).origins["gate"] == {"contract": "T-18", "note": "=1+1"}


def test_a_password_out_of_an_address_goes_into_the_drawer(town: Town) -> None:
    town.write("name,password\ngate,new\n", may_update=True)
    gate = town.camera("gate")
    assert (gate.url, gate.username, town.password("gate")) == ("rtsp://10.1.0.1/main", "eve", "new")
    assert "# since May" in town.path.read_text()


def test_a_password_does_not_follow_to_another_address(town: Town) -> None:
    assert town.problems("name,url\ngate,rtsp://10.9.9.9/main\n", may_update=True) == [(2, "url")]
    assert town.problems("name,url\ngate,rtsp://10.1.0.1/other\n", may_update=True) == []
    assert town.problems("name,sub_url\ngate,rtsp://10.9.9.9/sub\n", may_update=True) == [(2, "sub_url")]
    assert town.problems("name,sub_url\ngate,rtsp://10.1.0.1/sub\n", may_update=True) == []
    assert town.problems("name,device_url\ngate,https://10.9.9.9\n", may_update=True) == [(2, "device_url")]
    assert town.problems("name,device_url\ngate,http://10.1.0.1\n", may_update=True) == [], "it is asked there already"
    assert town.problems("name,device_url,password\ngate,https://10.9.9.9,new\n", may_update=True) == []


def test_every_mistake_of_every_row_is_told(town: Town) -> None:
    text = """\
name,url,adress,username,password,preset,schedule,site,sealed_days,transport,installed,device_url
Plaza North,rtsp://10.1.0.9/a,,u,p,heads,mon-fri 6-20,Old Town,0,tcp,,
gate,rtsp://10.1.0.1/main,,,,,,,,,,
a,rtsp://8.8.8.8/a,,,,,,,,,,
b,rtsp://10.1.0.10/a,,,secret,none,,,x,rudp,31.05.2024,ftp://10.1.0.10
b,rtsp://10.1.0.10/a,,,,,,old-town,,,,http://10.1.0.10/x
c,http://10.1.0.11/,,,,,,,,,,http://169.254.169.254
d,rtsp://10.1.0.1/main,,,,,,,,,,
,rtsp://10.1.0.12/a,,,,,,,,,,
e,,,,,,,,,,,
f,rtsp://u:0ne@10.1.0.13/a,,v,tw0,,,,,,,
g,rtsps://10.1.0.14/a,,,,,,,,udp,,
"""
    assert town.problems(text) == [
        (1, "adress"),
        (2, "name"),
        (2, "preset"),
        (2, "schedule"),
        (2, "sealed_days"),
        (4, "url"),
        (5, "username"),
        (5, "preset"),
        (5, "sealed_days"),
        (5, "transport"),
        (5, "installed"),
        (5, "device_url"),
        (6, "name"),
        (6, "site"),
        (6, "device_url"),
        (7, "url"),
        (7, "device_url"),
        (8, "url"),
        (9, "name"),
        (10, "url"),
        (11, "username"),
        (11, "password"),
        (12, "url"),
    ]
    plan = town.plan(text)
    told = "\n".join(map(str, plan.problems))
    assert "call it plaza-north" in told
    assert "did you mean 'address'" in told
    assert not [word for word in ("secret", "0ne", "tw0") if word in told]
    assert town.path.read_text() == TEXT


def test_a_profile_fills_what_a_row_leaves_out(town: Town) -> None:
    profile = {"stream_path": "/s{channel}", "sub_path": "rtsp://{address}:8554/t{channel}", "username": "cam", "site": "Harbour"}
    town.write("name,address,site,channel\na,10.1.0.2,,2\nb,10.1.0.3,Bridge,\n", profile=profile)
    a, b = town.camera("a"), town.camera("b")
    assert (a.url, a.sub_url, a.username, a.site) == ("rtsp://10.1.0.2/s2", "rtsp://10.1.0.2:8554/t2", "cam", "Harbour")
    assert (b.url, b.site) == ("rtsp://10.1.0.3/s1", "Bridge")
    assert town.problems("name,address\nc,10.1.0.4\n", profile={"stream_path": "/{0.__class__}"}) == [(2, "stream_path")]


def test_a_password_comes_from_the_environment_of_a_command_alone(town: Town) -> None:
    text = "name,url,username,password_env\na,rtsp://10.1.0.2/,u,CAM\n"
    assert town.problems(text) == [(2, "password_env")]
    assert town.problems(text, environment={}) == [(2, "password_env")]
    town.write(text, environment={"CAM": "s3cret"})
    assert town.password("a") == "s3cret"


def test_files_are_for_who_has_a_shell(town: Town) -> None:
    text = "name,url\na,file:/etc/passwd\n"
    assert town.problems(text) == [(2, "url")]
    assert town.problems(text, allows_files=True) == []


def test_what_serve_would_refuse_of_the_whole_is_told(town: Town) -> None:
    assert town.problems("name,url,preset\na,rtsp://10.1.0.2/,persons\n") == [(2, "preset")]


@pytest.mark.parametrize("fails", ["put", "replace"])
def test_passwords_are_forgotten_where_the_change_fails(town: Town, fails: str) -> None:
    plan, file = town.plan(GOOD), ConfigFile(town.path)

    def change() -> None:
        with kept_passwords(plan, town.drawer) as credentials:
            assert len(credentials) == 2
            if fails == "put":
                raise ConfigChanged("others were faster")
            put(plan, file, credentials)
            town.path.write_text(TEXT + "\n")
            file.replace()

    with pytest.raises(ConfigError):
        change()
    assert town.drawer.kept == {}
    assert ConfigFile(town.path).camera("park") is None


def test_cameras_of_the_same_place_swap_names(town: Town) -> None:
    town.write("name,url\na,rtsp://10.1.0.2/x\nb,rtsp://10.1.0.3/x\n")
    assert town.problems("name,url\na,rtsp://10.1.0.3/x\nb,rtsp://10.1.0.2/x\n", may_update=True) == []
