"""The reference of the API as one page, made of its OpenAPI document: no script, and nothing from other servers."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9em; }
h2 { margin-top: 3rem; } h3 { margin-top: 2rem; border-top: 1px solid #ccc; padding-top: 1rem; }
h3 b { display: inline-block; min-width: 4.5rem; } table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: 0.2rem 0.6rem 0.2rem 0; border-bottom: 1px solid #eee; }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd; } td, th, h3 { border-color: #333; } }
"""

Document = Mapping[str, Any]


def page(document: Document) -> str:
    """Return the page of an OpenAPI document; every text in it is escaped."""
    info = document["info"]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(info['title'])}</title>",
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>",
        f"<h1>{escape(info['title'])}</h1>",
        *(f"<p>{escape(paragraph)}" for paragraph in info.get("description", "").split("\n\n")),
        "<p>As a document for programs: <a href=openapi.json>openapi.json</a>",
    ]
    for tag, operations in _by_tag(document).items():
        parts.append(f"<h2>{escape(tag)}</h2>")
        parts += [part for operation in operations for part in _operation(document, *operation)]
    return "\n".join(parts)


def _by_tag(document: Document) -> dict[str, list[tuple[str, str, Document]]]:
    found: dict[str, list[tuple[str, str, Document]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = next(iter(operation.get("tags", [])), "other")
            found.setdefault(tag, []).append((method.upper(), path, operation))
    return found


def _operation(document: Document, method: str, path: str, operation: Document) -> Iterator[str]:
    yield f"<h3><b>{escape(method)}</b> <code>{escape(path)}</code></h3>"
    yield f"<p>{escape(operation.get('description') or operation.get('summary', ''))}"
    parameters = [
        (item["name"], f"{item['in']}{', required' if item.get('required') else ''}", item.get("description", ""))
        for item in operation.get("parameters", [])
    ]
    yield from _table("Parameters", parameters)
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield from _table("Body", _fields(document, content.get("schema", {})))
    statuses = ", ".join(sorted(operation.get("responses", {})))
    yield f"<p>Answers: {escape(statuses)}"


def _fields(document: Document, schema: Document) -> list[tuple[str, str, str]]:
    schema = _resolved(document, schema)
    required = schema.get("required", [])
    return [
        (name, f"{_type(value)}{', required' if name in required else ''}", value.get("description", ""))
        for name, value in schema.get("properties", {}).items()
    ]


def _resolved(document: Document, schema: Document) -> Document:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    found: Document = document.get("components", {}).get("schemas", {}).get(name, schema) if name else schema
    return found


def _type(schema: Document) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    return str(schema.get("type") or str(schema.get("$ref", "any")).rpartition("/")[2])


def _table(title: str, rows: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    lines = [
        f"<tr><td><code>{escape(name)}</code><td>{escape(kind)}<td>{escape(meaning)}" for name, kind, meaning in rows
    ]
    if lines:
        yield f"<table><tr><th>{title}<th><th>{''.join(lines)}</table>"
