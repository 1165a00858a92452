import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def tools() -> dict[str, Any]:
    """Return the settings of the tools that watch over the code."""
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    return settings


def test_types_are_checked_everywhere(tools: dict[str, Any]) -> None:
    """A new folder of code is not forgotten."""
    folders = {path.parent.name for path in ROOT.glob("[a-z]*/*.py")}
    assert set(tools["mypy"]["packages"]) == folders


def test_every_channel_is_kept_apart_from_the_others(tools: dict[str, Any]) -> None:
    """A new channel joins the contract that channels do not know each other."""
    channels = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for pattern in ("bot/*/channel.py", "zalo_oa/channel.py")
        for path in ROOT.glob(pattern)
    }
    [apart] = [each for each in tools["importlinter"]["contracts"] if each["type"] == "independence"]
    assert set(apart["modules"]) == channels


def test_every_exception_from_a_rule_says_why() -> None:
    """In the lists of ignored rules and warnings, each line has its reason on it or above it."""
    lines = (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
    inside, silent = False, []
    for before, line in zip(["", *lines], lines, strict=False):
        if inside and line.startswith('  "') and "#" not in line and not before.strip().startswith("#"):
            silent.append(line.strip())
        inside = (inside or line.endswith(" = [")) and line != "]"
        if line.startswith(("dependencies", "dev", "include", "packages")):
            inside = False
    assert [line for line in silent if line != '"error",'] == []


def test_the_test_tools_are_on_top_of_what_is_installed() -> None:
    """Both lock files name the same version of whatever both name."""
    product, tests = (_pinned(name) for name in ("requirements.lock", "requirements-dev.lock"))
    assert product
    assert {name: tests.get(name) for name in product} == product


def _pinned(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    return dict(line.split(" ")[0].split("==") for line in lines if "==" in line and not line.startswith(" "))
