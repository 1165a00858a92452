"""The page on which people read the API: its OpenAPI document, laid out. No script, no CDN."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bot.api.openapi import document
from bot.api.problems import KINDS
from bot.keys import SETTINGS

STYLE_PATH: Final = "/api/docs.css"
_HERE: Final = Path(__file__).parent
_METHODS: Final = ("post", "get", "patch")
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a table: a parameter, or a part of a body."""

    name: str
    kind: Markup
    required: bool
    description: Markup


@dataclass(frozen=True, slots=True)
class Section:
    """One operation."""

    anchor: str
    method: str
    path: str
    summary: str
    description: Markup
    parameters: tuple[Field, ...]
    body: Markup | None
    example: str | None
    answers: tuple[tuple[str, Markup], ...]


async def show(request: web.Request) -> web.Response:
    """Answer with the page."""
    text = page(request.config_dict[SETTINGS].base_url)
    return web.Response(text=text, content_type="text/html", headers=HEADERS)


async def show_style(request: web.Request) -> web.FileResponse:
    """Answer with the page's style sheet."""
    return web.FileResponse(_HERE / "static" / "docs.css", headers={"X-Content-Type-Options": "nosniff"})


@cache
def page(base_url: str) -> str:
    """Return the page for the service at this address."""
    content = document(base_url)
    templates = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    schemas = content["components"]["schemas"]
    return templates.get_template("docs.html").render(
        info=content["info"],
        server=content["servers"][0]["url"],
        style=STYLE_PATH,
        sections=list(_sections(content["paths"])),
        webhook=content["webhooks"]["order"]["post"],
        schemas=[
            (name, schema.get("description", ""), _fields(schema)) for name, schema in sorted(schemas.items())
        ],
        problems=KINDS,
        words=words,
    )


def _sections(paths: Mapping[str, Any]) -> Iterable[Section]:
    for path, methods in paths.items():
        for method in _METHODS:
            if method in methods:
                yield _section(method.upper(), path, methods[method])


def _section(method: str, path: str, operation: Mapping[str, Any]) -> Section:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return Section(
        operation["operationId"],
        method,
        path,
        operation["summary"],
        words(operation["description"]),
        tuple(_parameter(parameter) for parameter in operation["parameters"]),
        kind_of(body["schema"]) if body else None,
        json.dumps(body["example"], ensure_ascii=False, indent=2) if body else None,
        tuple((status, words(said["description"])) for status, said in operation["responses"].items()),
    )


def _parameter(parameter: Mapping[str, Any]) -> Field:
    said = parameter.get("description") or parameter["schema"].get("description", "")
    place = {"header": " (header)", "path": " (path)"}.get(parameter["in"], "")
    return Field(
        parameter["name"],
        kind_of(parameter["schema"]) + place,
        parameter.get("required", False),
        words(said),
    )


def _fields(schema: Mapping[str, Any]) -> list[Field]:
    required = schema.get("required", ())
    return [
        Field(name, kind_of(part), name in required, words(part.get("description", "")))
        for name, part in schema.get("properties", {}).items()
    ]


def words(text: str) -> Markup:
    """Return a sentence with what stands between backticks as code."""
    parts = text.split("`")
    shown = (
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts)
    )
    return Markup("").join(shown)


def kind_of(schema: Mapping[str, Any]) -> Markup:
    """Return what a value must be, in words, with links to the shapes it is made of."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#{0}">{0}</a>').format(name)
    if "anyOf" in schema:
        return Markup(" or ").join(kind_of(choice) for choice in schema["anyOf"])
    if "const" in schema:
        return words(f"`{schema['const']}`")
    if "enum" in schema:
        return words(", ".join(f"`{value}`" for value in schema["enum"]))
    if schema.get("type") == "array":
        return escape("list of ") + kind_of(schema["items"]) + _bounds(schema, "minItems", "maxItems")
    kind = escape(schema.get("format") or schema.get("type") or "anything")
    return kind + _bounds(schema, "minimum", "maximum") + _bounds(schema, "minLength", "maxLength")


def _bounds(schema: Mapping[str, Any], least: str, most: str) -> str:
    if least not in schema and most not in schema:
        return ""
    unit = "" if least == "minimum" else " long"
    if least not in schema:
        return f", up to {schema[most]:,}{unit}"
    if most not in schema:
        return f", from {schema[least]:,}{unit}"
    return f", {schema[least]:,} to {schema[most]:,}{unit}"
