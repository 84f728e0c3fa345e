"""Writes the dashboards beside this file from ``dashboards.toml``: ``python deploy/grafana/make_dashboards.py``.

Grafana's own format repeats everything for each panel; what differs stands there.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_COLUMNS, _WIDTH, _HEIGHT = 24, 8, 8
_Table = Mapping[str, Any]


def dashboards() -> dict[str, str]:
    """Return the text of each file by its name."""
    tables = tomllib.loads((FOLDER / "dashboards.toml").read_text(encoding="utf-8"))["dashboard"]
    return {f"{each['uid']}.json": json.dumps(_dashboard(each), indent=1) + "\n" for each in tables}


def _dashboard(table: _Table) -> dict[str, Any]:
    return {
        "uid": table["uid"],
        "title": table["title"],
        "tags": ["tokenq"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": list(_variables(table))},
        "panels": list(_panels(table)),
    }


def _variables(table: _Table) -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    if table["has_departments"]:
        yield {
            "name": "department",
            "label": "Department",
            "type": "query",
            "datasource": _SOURCE,
            "query": "label_values(tokenq_waiting, department)",
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
            "refresh": 2,
            "sort": 1,
        }


def _panels(table: _Table) -> Iterator[dict[str, Any]]:
    y, number = 0, 1
    for row in table["row"]:
        yield {"id": number, "type": "row", "title": row["title"], "gridPos": {"x": 0, "y": y, "w": _COLUMNS, "h": 1}}
        y, x = y + 1, 0
        height = _HEIGHT // 2 if "number" in row["panel"][0] else _HEIGHT
        for panel in row["panel"]:
            number, width = number + 1, panel.get("width", _WIDTH)
            yield _panel(panel, number) | {"gridPos": {"x": x, "y": y, "w": width, "h": height}}
            x += width
        y, number = y + height, number + 1


def _panel(table: _Table, number: int) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if "red_from" in table:
        steps.append({"color": "red", "value": table["red_from"]})
    queries = table.get("queries") or {"": table["query"]}
    return {
        "id": number,
        "type": "stat" if "number" in table else "timeseries",
        "title": table["title"],
        "description": table.get("about", ""),
        "datasource": _SOURCE,
        "targets": [
            {"refId": chr(ord("A") + index), "expr": query, "legendFormat": legend, "datasource": _SOURCE}
            for index, (legend, query) in enumerate(queries.items())
        ],
        "fieldConfig": {
            "defaults": {
                "unit": table.get("unit", "short"),
                "min": 0,
                "thresholds": {"mode": "absolute", "steps": steps},
            },
            "overrides": [],
        },
    }


if __name__ == "__main__":
    for name, text in dashboards().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
