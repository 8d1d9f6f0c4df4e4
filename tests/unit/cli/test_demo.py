"""The demonstration is a configuration that `serve` takes, with lines and zones to count in."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from lamppost.cli.main import app
from lamppost.pipeline.configuration import load_whole


def test_the_demonstration_can_be_served(tmp_path: Path) -> None:
    config = tmp_path / "lamppost.toml"
    done = CliRunner().invoke(app, ["init", "--demo", "--data", str(tmp_path / "data"), "-c", str(config)])
    assert done.exit_code == 0, done.output
    settings = load_whole(config)
    assert settings.site == "Old Town"
    assert len(settings.camera) == 2
    for camera in settings.camera:
        assert camera.rules is not None
        assert camera.rules.line
        assert camera.rules.zone
        assert camera.rules.rule
        assert camera.rules.heat_map is not None


def test_the_demonstration_takes_no_other_cameras(tmp_path: Path) -> None:
    given = ["init", "--demo", "--camera", "a=sim://plaza", "--data", str(tmp_path / "data"), "-c", str(tmp_path / "x.toml")]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 2
    assert not (tmp_path / "data").exists()
