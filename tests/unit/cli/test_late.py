"""A command's module is imported when the command is wanted, and not before."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from lamppost.cli.late import late_group

HEAVY = ("sqlalchemy", "alembic", "pydantic", "onnx", "av", "cv2", "prometheus_client", "lamppost.store")


def imported_by(code: str) -> set[str]:
    """The modules that a fresh interpreter holds after `code`."""
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return set(run.stdout.split())


def test_the_command_line_alone_imports_no_command() -> None:
    found = imported_by("import lamppost.cli.main")
    assert found.isdisjoint(HEAVY)
    assert not [name for name in found if name.startswith(("lamppost.cli.", "lamppost.pipeline")) and name not in KNOWN]


KNOWN = {"lamppost.cli.main", "lamppost.cli.late"}


def test_masking_a_file_imports_nothing_of_the_store() -> None:
    """ONNX is loaded while the first frames are decoded."""
    found = imported_by("import lamppost.cli.mask")
    assert found.isdisjoint({"onnx", "onnxruntime", "structlog"})
    assert found.isdisjoint(
        {"sqlalchemy", "alembic", "pydantic", "prometheus_client", "lamppost.store", "lamppost.ingest", "lamppost.seal"}
    )


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer(cls=late_group({"length": ("os.path", "getsize"), "broken": ("lamppost.no_such_module", "none")}))
    app.callback()(lambda: None)

    @app.command()
    def early() -> None:
        """Comes last."""
        typer.echo("early ran")

    return app


def test_names_are_known_without_an_import(app: typer.Typer) -> None:
    group = typer.main.get_command(app)
    assert list(group.commands) == ["length", "broken", "early"]  # type: ignore[attr-defined]
    assert "broken" in group.commands  # type: ignore[attr-defined]
    assert len(group.commands) == 3  # type: ignore[attr-defined]


def test_one_command_runs_though_another_cannot_be_imported(app: typer.Typer) -> None:
    assert CliRunner().invoke(app, ["early"]).output == "early ran\n"
    with pytest.raises(ModuleNotFoundError):
        CliRunner().invoke(app, ["broken"], catch_exceptions=False)


def test_a_typing_error_is_answered_with_the_nearest_name(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["brokn"])
    assert result.exit_code == 2
    assert "broken" in result.output


def test_a_group_may_be_changed_as_any_other(app: typer.Typer) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    commands["later"] = commands["early"]
    del commands["broken"], commands["early"]
    assert list(commands) == ["length", "later"]


def test_completion_knows_commands_and_options() -> None:
    def complete(words: str) -> str:
        environment = {"_LAMPPOST_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
        run = [sys.executable, "-c", "from lamppost.cli.main import app; app(prog_name='lamppost')"]
        return subprocess.run(run, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout

    assert complete("lamppost ma").split() == ["mask"]
    assert complete("lamppost camera te").split() == ["test"]
    assert "--preset" in complete("lamppost mask --").split()
