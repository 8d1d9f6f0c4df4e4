"""The pages say what is there: settings, commands, links, promises, and no promise that cannot be kept."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from lamppost.cli.main import app
from lamppost.detect.catalogue import BUILT_IN
from lamppost.detect.entry import Layout, OutputRole
from lamppost.detect.labels import OTHER_THINGS
from lamppost.model.books import RECORD_TYPES
from lamppost.model.carriers import NotifySettings
from lamppost.model.media import GapCause
from lamppost.model.settings import FILLED_IN, CameraSettings, Settings
from lamppost.model.vision import CoverCause, Kind
from lamppost.pipeline.alarms import find_conditions
from lamppost.pipeline.metrics import NodeCollector
from node_reports import worst_reports
from scraped_node import ScrapedNode

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# Settings


def _settings_keys(model: type[BaseModel] = Settings) -> Iterator[str]:
    for key, field in model.model_fields.items():
        if key not in FILLED_IN:
            yield key
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _settings_keys(field.annotation)


@pytest.mark.parametrize("key", sorted({*_settings_keys(), *_settings_keys(CameraSettings), *_settings_keys(NotifySettings)}))
def test_every_setting_is_in_the_reference(key: str) -> None:
    # A table of the file stands as `[key]`, a setting as `key`.
    assert re.search(rf"`\[*{key}\]*`", _text(DOCS / "reference" / "configuration.md"))


# Commands


@functools.cache
def _help(*command: str) -> str:
    result = CliRunner().invoke(app, [*command, "--help"], env={"TERM": "dumb", "COLUMNS": "200"})
    return result.output if result.exit_code == 0 else ""


def _listed(text: str, name: str, heading: str = "") -> bool:
    section = text[text.index(heading) :] if heading in text else ""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", section) is not None


def _commands(path: Path) -> set[tuple[str, ...]]:
    """The commands that a page names: `lamppost WORD` and, where a group follows, `lamppost WORD WORD`."""
    found: set[tuple[str, ...]] = set()
    for line in _text(path).splitlines():
        for match in re.finditer(r"(?:^|`|/)lamppost (?P<first>[a-z]+)(?: (?P<second>[a-z]+))?(?=[ `\\\n]|$)", line):
            found.add(tuple(word for word in match.groups() if word))
    return found


README_COMMANDS = sorted(_commands(ROOT / "README.md"))


def test_readme_names_the_commands_of_the_issue() -> None:
    named = {" ".join(command) for command in README_COMMANDS}
    assert {"init", "serve", "mask", "release open", "check", "camera list", "config check"} <= named


@pytest.mark.parametrize("command", README_COMMANDS, ids=" ".join)
def test_every_command_of_the_readme_exists(command: tuple[str, ...]) -> None:
    assert _listed(_help(), command[0], "Commands")
    if "Commands" in _help(command[0]):
        assert len(command) == 1 or _listed(_help(command[0]), command[1], "Commands")


def _option_uses() -> list[tuple[tuple[str, ...], str]]:
    """Each command line in a code block, with each long option that it uses."""
    uses: set[tuple[tuple[str, ...], str]] = set()
    for path in PAGES:
        for block in re.findall(r"^```sh\n(.*?)^```", _text(path), flags=re.MULTILINE | re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                match = re.match(
                    r"(?:\.venv/bin/)?lamppost ([a-z]+)"
                    r"(?: (open|list|check|create|restore|add|set|remove|test|gaps|release|pull|verify|leak|track|retry|export|plot"
                    r"|camera|import|uptime|audit|disarm|rollback|adjust|find|origin|firmware|password|device)\b)?(.*)",
                    line,
                )
                if match:
                    command = tuple(word for word in match.groups()[:2] if word)
                    code = match[3].split(" #")[0]
                    uses |= {(command, option) for option in re.findall(r"--[a-z][a-z0-9-]+", code)}
    return sorted(uses)


@pytest.mark.parametrize(("command", "option"), _option_uses(), ids=lambda part: part if isinstance(part, str) else " ".join(part))
def test_every_option_of_an_example_exists(command: tuple[str, ...], option: str) -> None:
    assert _listed(_help(*command), option)


# Links


def _links(path: Path) -> list[str]:
    text = re.sub(r"`[^`\n]*`", "", _without_code(_text(path)))
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if not urlsplit(target).scheme]


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _without_code(_text(path)), flags=re.MULTILINE)
    return {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower()) for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_internal_link_leads_somewhere(page: Path) -> None:
    for target in _links(page):
        name, _, anchor = target.partition("#")
        goal = (page.parent / name).resolve() if name else page
        assert goal.is_file(), f"{_name(page)} points to {target}"
        if anchor and goal.suffix == ".md":
            assert anchor in _anchors(goal), f"{_name(page)} points to {target}"


def test_every_page_is_in_the_navigation() -> None:
    navigation = _text(ROOT / "mkdocs.yml")
    assert [_name(page) for page in PAGES if DOCS in page.parents and page.relative_to(DOCS).as_posix() not in navigation] == []


def test_nothing_is_fetched_from_another_host_when_a_page_is_opened() -> None:
    configuration = re.sub(r"^\s*#.*$", "", _text(ROOT / "mkdocs.yml"), flags=re.MULTILINE)
    assert "font: false" in configuration
    assert "://" not in configuration


# Words that must stand there, and words that must not

FORBIDDEN = re.compile(
    r"(nobody|no one|no person|people|persons) (can|could|may|will|is|are)( not|not|n't)? ?(ever )?be (identified|recogni[sz]ed)",
    re.IGNORECASE,
)
DENIAL = re.compile(r"\b(not|never|nothing)\b", re.IGNORECASE)


def _paragraphs(path: Path) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", _text(path))]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_no_page_promises_that_nobody_can_be_identified(page: Path) -> None:
    for paragraph in _paragraphs(page):
        for match in FORBIDDEN.finditer(paragraph):
            before = paragraph[: match.start()]
            assert DENIAL.search(before.rsplit(".", 1)[-1]), f"{_name(page)}: {paragraph}"


@pytest.mark.parametrize(
    "sentence",
    [
        "A state that runs the machines and appoints all custodians can open everything",
        "Lamppost makes nothing lawful",
        "Masked video can still be personal data",
        "Lamppost identifies nobody",
    ],
)
def test_the_threat_model_uses_the_plain_words(sentence: str) -> None:
    assert sentence in " ".join(_text(DOCS / "design" / "threat-model.md").split())


# Promises and tables that mirror the code


def _promise_rows() -> list[tuple[str, list[str]]]:
    rows = re.findall(r"^\| ([A-Z][^|]+) \| [^|]+ \| ([^|]+) \|$", _text(DOCS / "design" / "promises.md"), flags=re.MULTILINE)
    return [(promise.strip(), re.findall(r"`([^`]+)`", tests)) for promise, tests in rows]


def test_there_are_five_promises() -> None:
    assert len(_promise_rows()) == 5


@pytest.mark.parametrize(("promise", "tests"), _promise_rows(), ids=[promise for promise, _ in _promise_rows()])
def test_each_promise_names_tests_that_exist(promise: str, tests: list[str]) -> None:
    assert tests, promise
    for name in tests:
        path = ROOT / name
        assert path.is_file() or any(path.glob("test_*.py")), f"{promise}: {name}"


def test_every_cause_is_explained() -> None:
    page = _text(DOCS / "guide" / "checking.md")
    assert [cause.value for cause in [*GapCause, *CoverCause] if f"| `{cause.value}` |" not in page] == []


def _alarms() -> set[tuple[str, str]]:
    """Kind and severity of every condition that the code can find."""
    return {(condition.kind, condition.severity.value) for condition in find_conditions(worst_reports())}


def test_every_alarm_is_explained_and_no_other() -> None:
    page = _text(DOCS / "guide" / "operating.md").split("## Alarms")[1].split("## Metrics")[0]
    assert set(re.findall(r"^\| `(\w+)` \| (\w+) \|", page, flags=re.MULTILINE)) == _alarms()
    written = set(re.findall(r'Condition\(\s*"(\w+)"', _text(ROOT / "src" / "lamppost" / "pipeline" / "alarms.py")))
    assert written <= {kind for kind, _ in _alarms()}, "one that this test does not bring about"


def test_every_metric_is_explained_with_its_labels_and_no_other() -> None:
    page = _text(DOCS / "guide" / "operating.md").split("## Metrics")[1]
    rows = re.findall(r"^\| `(lamppost_\w+)` \| (\w+) \| ([^|]+) \|", page, flags=re.MULTILINE)
    told = {name: (kind, set() if labels == "–" else set(labels.split(", "))) for name, kind, labels in rows}
    scraped = {
        sample.name: (family.type, set(sample.labels)) for family in NodeCollector(ScrapedNode()).collect() for sample in family.samples
    }
    assert told == scraped


def test_every_journal_record_is_described() -> None:
    page = _text(DOCS / "design" / "formats.md").split("## Journal")[1]
    for record in RECORD_TYPES:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{record.TYPE}` |"))
        assert re.findall(r"`(\w+)`", row)[1:] == [field.name for field in fields(record)]


def test_the_recipe_is_the_script_that_is_tested() -> None:
    page = _text(DOCS / "guide" / "sealing-and-opening.md")
    included = re.findall(r'^--8<-- "([^"]+)"$', page, flags=re.MULTILINE)
    assert included == ["tests/assets/open_with_stock_tools.sh"]
    assert (ROOT / included[0]).is_file()


def test_the_catalogue_is_on_its_page() -> None:
    page = _text(DOCS / "reference" / "models.md")
    assert '--8<-- "tests/assets/model_entry.toml"' in page
    assert [entry.name for entry in BUILT_IN if f"`{entry.name}`" not in page or re.split(r"[,)]", entry.licence)[0] not in page] == []
    assert [word.value for word in (*Layout, *OutputRole, *Kind) if f"`{word.value}`" not in page] == []
    assert [thing for thing in OTHER_THINGS if f"`{thing}`" not in page] == []


def test_the_data_folder_is_drawn_as_the_code_names_it() -> None:
    drawn = {line.split("/")[0].strip() for line in _text(DOCS / "design" / "data-folder.txt").splitlines()[1:]}
    layout = _text(ROOT / "src" / "lamppost" / "model" / "layout.py").split("```")[1]
    assert drawn == {line.split("/")[0].strip() for line in layout.strip().splitlines()[1:]}


# Masking


def test_every_way_out_names_tests_that_exist() -> None:
    page = _text(DOCS / "design" / "masking.md")
    for heading in ("Covered whole", "Every way out"):
        section = page.split(f"## {heading}\n")[1].split("\n## ")[0]
        rows = re.findall(r"^\| (?!when|route|---)(.+) \|$", section, flags=re.MULTILINE)
        assert len(rows) >= 6
        for row in rows:
            tests = re.findall(r"`(tests/[^`]+)`", row)
            assert tests, row
            assert [test for test in tests if not (ROOT / test).exists()] == []


@pytest.mark.parametrize(
    "channel", ["bitrate", "look-back", "rate control", "shadows", "reflections", "where and when", "swap", "core dumps"]
)
def test_what_remains_visible_is_named(channel: str) -> None:
    assert channel in _text(DOCS / "design" / "masking.md")
