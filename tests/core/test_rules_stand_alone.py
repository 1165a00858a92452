"""The rules of the core know no library, and the models know the tables."""

import ast
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest
from tortoise.fields.relational import RelationalField
from tortoise.models import Model

import core
from core.database import Database
from core.notices import models as notices
from core.orders import models as orders
from core.partners import models as partners

CORE: Final = Path(str(core.__file__)).parent
RULES: Final = frozenset(
    {
        "core.actors",
        "core.channels",
        "core.errors",
        "core.notices.kinds",
        "core.notices.owed",
        "core.notices.routing",
        "core.quiet",
        "core.orders.answers",
        "core.orders.codes",
        "core.orders.commands",
        "core.orders.decide",
        "core.orders.events",
        "core.orders.order",
        "core.orders.snapshot",
        "core.orders.status",
        "core.schedule",
    }
)


def file_of(module: str) -> Path:
    """Return the file of a module of the core."""
    return CORE.joinpath(*module.split(".")[1:]).with_suffix(".py")


def imported_by(source: str, module: str) -> set[str]:
    """Return the modules that a source imports, whether or not at its top."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            found |= {_module_named(node.module or "", alias.name) for alias in node.names}
    return found


def _module_named(package: str, name: str) -> str:
    """Tell `from core.notices import owed` from `from core.notices.owed import Owed`."""
    inside = f"{package}.{name}"
    return inside if package.startswith("core") and file_of(inside).exists() else package


def strangers(modules: Iterable[str]) -> set[str]:
    """Return what is neither a rule nor of the standard library."""
    return {
        name for name in modules if name not in RULES and name.split(".")[0] not in sys.stdlib_module_names
    }


@pytest.mark.parametrize("module", sorted(RULES))
def test_a_rule_imports_only_rules_and_the_standard_library(module: str) -> None:
    """So that they can be read, tried and trusted without anything running."""
    assert strangers(imported_by(file_of(module).read_text("utf-8"), module)) == set()


@pytest.mark.parametrize(
    "source", ["import asyncpg", "from core import database", "from core.ledger import Ledger"]
)
def test_a_stranger_is_noticed(source: str) -> None:
    """The test above would fail."""
    assert strangers(imported_by(source, "core.somewhere"))


@pytest.mark.parametrize("package", ["", "orders", "notices", "partners"])
def test_packages_of_rules_run_nothing_when_imported(package: str) -> None:
    """Their __init__ is empty, so a rule brings nothing with it that it does not name."""
    assert CORE.joinpath(package, "__init__.py").read_text("utf-8") == ""


# --- models ---------------------------------------------------------------------------------------

#: What only SQL uses: how claims, clocks and forward readers work inside.
INTERNAL: Final = {
    "staff": {"position"},
    "platforms": {
        "secret_before",
        "secret_before_until",
        "disabled_at",
        "disabled_why",
    },
    "orders": {"changed_in"},
    "events": {"made_in"},
    "notices": {"owed_real", "held_until", "handled_at", "handled_by"},
    "messages": {"lost", "leased_until", "deadline", "carrier_id", "orders_told", "card_of"},
    "attempts": {"try", "took"},
    "webhooks": {"leased_until", "overdue_at", "test_at", "rest_until"},
}
MODELS: Final = [
    model
    for module in (orders, partners, notices)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, Model) and model is not Model
]


def columns_of(model: type[Model]) -> dict[str, bool]:
    """Return the model's columns, and whether each may be null."""
    return {
        str(column): bool(model._meta.fields_map[name].null)
        for name, column in model._meta.fields_db_projection.items()
        if not isinstance(model._meta.fields_map[name], RelationalField)
    }


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.__name__))
async def test_a_model_has_the_columns_of_its_table(model: type[Model], database: Database) -> None:
    """Every column by name and nullability, but for those that only SQL uses."""
    table = model._meta.db_table
    rows = await database.pool.fetch(
        "SELECT column_name, is_nullable = 'YES' AS is_null FROM information_schema.columns"
        " WHERE table_name = $1 AND table_schema = 'public'",
        table,
    )
    in_database = {row["column_name"]: row["is_null"] for row in rows}
    internal = INTERNAL.get(table, set())
    assert internal <= in_database.keys()
    assert columns_of(model) == {name: null for name, null in in_database.items() if name not in internal}


def test_the_tables_that_have_models() -> None:
    """Those that people and platforms read; the rest is plumbing."""
    assert {model._meta.db_table for model in MODELS} == {
        "addresses",
        "attempts",
        "events",
        "link_codes",
        "messages",
        "notices",
        "orders",
        "partners",
        "platforms",
        "staff",
        "timers",
        "webhooks",
    }
