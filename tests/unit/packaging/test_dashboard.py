"""What Grafana and Prometheus are given asks for metrics that the server tells, by labels that these have, and shows all of them."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from lamppost.model.server_settings import MetricsSettings
from lamppost.pipeline.metrics import NodeCollector
from scraped_node import ScrapedNode

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "lamppost.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
VARIABLES = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
RULES = yaml.safe_load((DEPLOY / "lamppost-rules.yml").read_text())
OF_PROMETHEUS = {"instance", "job"}  # labels that a scrape adds
METRIC = re.compile(r"\b(lamppost_\w+)")
LABELS = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
GROUPED = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")


def exported() -> dict[str, set[str]]:
    """The labels of every sample that a scrape has."""
    return {sample.name: set(sample.labels) for family in NodeCollector(ScrapedNode()).collect() for sample in family.samples}


def unknown_in(expression: str) -> list[str]:
    """Metrics and labels of an expression that no scrape has."""
    samples = exported()
    found = [name for name in METRIC.findall(expression) if name not in samples]
    for name, matchers in re.findall(r"\b(lamppost_\w+)(?:\{([^}]*)\})?", expression):
        labels = set(LABELS.findall(matchers))
        found += [f"{name}: {label}" for label in sorted(labels - samples.get(name, set()) - OF_PROMETHEUS)]
    of_all = set().union(*(samples.get(name, set()) for name in METRIC.findall(expression))) | OF_PROMETHEUS
    grouped = {label.strip() for group in GROUPED.findall(expression) for label in group.split(",") if label.strip()}
    return found + sorted(grouped - of_all)


def targets(panel: dict[str, Any]) -> list[tuple[str, str]]:
    return [(target["expr"], target["legendFormat"]) for target in panel["targets"]]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_for_what_there_is_and_says_what_it_shows(panel: dict[str, Any]) -> None:
    assert panel["title"].strip()
    assert panel["description"].strip()
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert panel["targets"]
    for expression, legend in targets(panel):
        assert unknown_in(expression) == [], expression
        kept = set().union(*({label.strip() for label in group.split(",")} for group in GROUPED.findall(expression)))
        shown = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", legend))
        assert shown <= (kept or OF_PROMETHEUS), f"{legend} names a label that the expression leaves none of"
        assert set(re.findall(r"\$(\w+)", expression)) <= {*VARIABLES, "__rate_interval"}
    assert [target["refId"] for target in panel["targets"]] == [chr(ord("A") + index) for index in range(len(panel["targets"]))]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_counter_is_shown_as_a_rate(panel: dict[str, Any]) -> None:
    for expression, _ in targets(panel):
        for name in METRIC.findall(expression):
            if name.endswith(("_total", "_bucket", "_count", "_sum")):
                assert re.search(rf"\b(?:rate|increase)\({name}\b", expression), expression


def test_everything_that_is_told_is_shown() -> None:
    shown = {name for panel in PANELS for expression, _ in targets(panel) for name in METRIC.findall(expression)}
    assert shown == set(exported())


def test_ids_and_titles_are_unique_and_no_panel_lies_on_another() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    titles = [panel["title"] for panel in DASHBOARD["panels"]]
    assert len(set(titles)) == len(titles)
    for panel, other in combinations((panel["gridPos"] for panel in DASHBOARD["panels"]), 2):
        beside = panel["x"] + panel["w"] <= other["x"] or other["x"] + other["w"] <= panel["x"]
        above = panel["y"] + panel["h"] <= other["y"] or other["y"] + other["h"] <= panel["y"]
        assert beside or above, (panel, other)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in DASHBOARD["panels"])


def test_its_variables_are_a_datasource_and_what_a_scrape_knows() -> None:
    assert (VARIABLES["datasource"]["type"], VARIABLES["datasource"]["query"]) == ("datasource", "prometheus")
    for name, variable in VARIABLES.items():
        if name == "datasource":
            continue
        metric, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"]).groups()  # type: ignore[union-attr]
        assert unknown_in(metric) == []
        assert label in exported()[METRIC.findall(metric)[0]] | OF_PROMETHEUS
        assert variable["query"]["query"] == variable["definition"]
    assert DASHBOARD["schemaVersion"] >= 39
    assert "__inputs" not in DASHBOARD, "nothing to be filled in but the datasource"


def test_prometheus_asks_where_the_metrics_are() -> None:
    text = (DEPLOY / "prometheus.yml").read_text()
    config = yaml.safe_load(text)
    (job,) = config["scrape_configs"]
    assert job["static_configs"] == [{"targets": [MetricsSettings().listen]}]
    assert config["rule_files"] == ["lamppost-rules.yml"]
    # The other job is a comment that can be taken out: YAML that asks with a token from a file.
    other = text.partition("#\n  # - job_name")[2]
    (remote,) = yaml.safe_load("- job_name" + other.replace("\n  # ", "\n"))
    assert remote["scheme"] == "https"
    assert list(remote["authorization"]) == ["credentials_file"]


@pytest.mark.parametrize("rule", RULES["groups"][0]["rules"], ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_what_there_is(rule: dict[str, Any]) -> None:
    assert unknown_in(rule["expr"]) == []


def test_the_guide_names_them() -> None:
    guides = "".join((ROOT / "docs" / "guide" / name).read_text() for name in ("install.md", "operating.md"))
    for name in ("deploy/prometheus.yml", "deploy/lamppost-rules.yml", "deploy/grafana/lamppost.json"):
        assert name in guides, name


@pytest.mark.parametrize(
    ("expression", "unknown"),
    [
        ("lamppost_gone", ["lamppost_gone"]),
        ('lamppost_alarm{colour="red"}', ["lamppost_alarm: colour"]),
        ("sum by (colour) (lamppost_alarm)", ["colour"]),
        ('sum by (camera) (lamppost_camera_recording{instance=~"x"})', []),
    ],
)
def test_what_no_scrape_has_is_found(expression: str, unknown: list[str]) -> None:
    assert unknown_in(expression) == unknown
