"""deploy/prometheus and deploy/grafana against the code: they name only metrics, labels and paths that there are."""

import json
import re

import pytest
import yaml
from django.conf import settings
from django.urls import resolve

from consumers.table_gauges import BREAKER_STATES
from gateway.channel_contract import Outcome
from gateway.metrics import METRICS
from gateway.statuses import Status

DEPLOY = settings.BASE_DIR / "deploy"
COMPOSE = yaml.safe_load((settings.BASE_DIR / "docker-compose.yml").read_text())
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in (DEPLOY / "grafana/dashboards").glob("*.json")}
PROMETHEUS = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}") for name in DASHBOARDS for panel in DASHBOARDS[name]["panels"]
]
EXPRESSIONS = {
    **{rule["alert"]: rule["expr"] for rule in RULES},
    **{
        f"{name}: {panel['title']} {target['refId']}": target["expr"]
        for name, board in DASHBOARDS.items()
        for panel in board["panels"]
        for target in panel["targets"]
    },
}
#: What a histogram is read by.
PARTS = ("_bucket", "_count", "_sum")
#: What the labels of our own words may be asked for.
VALUES = {
    "status": {str(status) for status in Status} | {f"{digit}.." for digit in range(1, 6)},
    "state": {"due", "waiting", "queued", "sending", *BREAKER_STATES},
    "outcome": {str(outcome) for outcome in Outcome},
}


def metric_of(name):
    """The metric that a sample of this name belongs to; None when there is none."""
    stem = next((name.removesuffix(part) for part in PARTS if name.endswith(part)), "")
    found = METRICS.get(stem)
    return found if found and found.kind == "histogram" else METRICS.get(name)


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_an_expression_names_metrics_and_labels_that_there_are(where):
    expression = EXPRESSIONS[where]
    names = re.findall(r"\bnotify_\w+", expression)
    known = {"le", "class"} | {label for name in names for label in metric_of(name).labels}

    assert names
    asked = [label for labels in re.findall(r"by \(([^)]*)\)", expression) for label in re.findall(r"\w+", labels)]
    assert set(asked) <= known
    for name, matchers in re.findall(r"(notify_\w+)\{([^}]*)\}", expression):
        for label, values in re.findall(r'(\w+)=~?"([^"]*)"', matchers):
            assert label in metric_of(name).labels
            assert set(values.split("|")) <= VALUES[label]


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_its_brackets_are_closed(where):
    for opening, closing in ("()", "[]", "{}"):
        assert EXPRESSIONS[where].count(opening) == EXPRESSIONS[where].count(closing)


def test_every_metric_is_shown_somewhere():
    shown = {metric_of(name).name for each in EXPRESSIONS.values() for name in re.findall(r"\bnotify_\w+", each)}

    assert shown == set(METRICS)


# --- dashboards -------------------------------------------------------------------------------------------------------


def test_there_are_three_dashboards_that_lead_to_each_other():
    assert set(DASHBOARDS) == {"overview", "queues", "providers"}
    assert {board["uid"] for board in DASHBOARDS.values()} == {f"notify-{name}" for name in DASHBOARDS}
    for board in DASHBOARDS.values():
        assert board["links"][0]["tags"] == board["tags"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_single_numbers_come_first(name):
    kinds = [panel["type"] for panel in DASHBOARDS[name]["panels"]]

    assert kinds == sorted(kinds)  # stat, then timeseries
    assert kinds[0] == "stat"
    assert [variable["type"] for variable in DASHBOARDS[name]["templating"]["list"]] == ["datasource"]


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows_and_asks_the_chosen_source(panel):
    assert panel["description"].endswith(".")
    assert panel["datasource"]["uid"] == "${datasource}"


def test_no_two_panels_lie_over_each_other():
    for board in DASHBOARDS.values():
        taken = [
            (x, y)
            for place in (panel["gridPos"] for panel in board["panels"])
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        assert len(taken) == len(set(taken))
        assert max(x for x, _ in taken) < 24


def test_grafana_finds_source_and_dashboards_where_compose_puts_them():
    mounted = dict(volume.removesuffix(":ro").split(":") for volume in COMPOSE["services"]["grafana"]["volumes"])
    provisioning = DEPLOY / "grafana/provisioning"
    [source] = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    [provider] = yaml.safe_load((provisioning / "dashboards/notifications.yml").read_text())["providers"]

    assert source["url"] == "http://prometheus:9090"
    assert mounted["./deploy/grafana/dashboards"] == provider["options"]["path"]
    home = COMPOSE["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/overview.json"


# --- Prometheus -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule):
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["annotations"]["description"].endswith((".", "?"))


def test_prometheus_asks_where_our_list_is_and_shows_the_token():
    [job] = PROMETHEUS["scrape_configs"]
    [discovery] = job["http_sd_configs"]
    host, path = re.fullmatch(r"http://([a-z]+):3000(/.*)", discovery["url"]).groups()

    assert resolve(path).url_name == "prometheus-targets"
    assert host in COMPOSE["services"]["web"]["environment"]["ALLOWED_HOSTS"]
    token = {"type": "Bearer", "credentials_file": COMPOSE["services"]["web"]["environment"]["METRICS_TOKEN_FILE"]}
    assert job["authorization"] == discovery["authorization"] == token
    assert PROMETHEUS["rule_files"] == ["alerts.yml"]
