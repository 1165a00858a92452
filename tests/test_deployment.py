"""What runs the service elsewhere fits the service: the image, compose.yaml and the systemd units.

There is no Docker daemon among the tests' tools: these read the files, and build nothing.
"""

import fnmatch
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml

from cli.main import chotdon
from core.settings import PREFIX, Settings

ROOT: Final = Path(__file__).parent.parent
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
OURS: Final = sorted(name for name, service in SERVICES.items() if "build" in service)
UNITS: Final = sorted((ROOT / "deploy" / "systemd").iterdir())
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
PACKAGES: Final = ("core", "zalo_oa", "bot", "jobs", "sandbox", "cli")


def is_command(words: list[str]) -> bool:
    """Whether `chotdon` has this command and every option of it that is named."""
    command: click.Command | None = chotdon
    rest = list(words)
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), rest.pop(0)) if rest else None
    if command is None:
        return False
    known = {option for parameter in command.params for option in parameter.opts}
    return all(word in known for word in rest if word.startswith("-"))


def is_setting(variable: str) -> bool:
    """Whether the service reads this variable as a setting, or as the name of the file of settings."""
    return variable == "CHOTDON_ENV_FILE" or variable.removeprefix(PREFIX).lower() in Settings.model_fields


@pytest.mark.parametrize(
    "words", [["brew"], ["serve", "--pots"], ["healthy"]], ids=["unknown", "option", "group"]
)
def test_what_is_no_command_is_noticed(words: list[str]) -> None:
    """The tests below would fail."""
    assert not is_command(words)


# --- compose --------------------------------------------------------------------------------------


def test_everything_that_runs_is_there() -> None:
    """Two servers, the migration, web and worker."""
    assert set(SERVICES) == {"postgres", "valkey", "migrate", "web", "worker"}
    assert OURS == ["migrate", "web", "worker"]
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_a_command_with_settings_that_exist(name: str) -> None:
    """Both servers named, production, and no secret in the file."""
    service = SERVICES[name]
    assert is_command(service["command"])
    variables = [each for each in service["environment"] if each.startswith(PREFIX)]
    assert {"CHOTDON_ENV", "CHOTDON_DATABASE_URL", "CHOTDON_REDIS_URL"} == set(variables)
    assert all(is_setting(variable) for variable in variables)
    assert "${POSTGRES_PASSWORD:?" in service["environment"]["CHOTDON_DATABASE_URL"]


@pytest.mark.parametrize("name", OURS)
def test_a_service_may_do_little(name: str) -> None:
    """A root that is read only, no capability, and a way for SIGTERM to arrive."""
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"], service["init"]) == (True, ["ALL"], True)


def test_nothing_starts_before_what_it_needs() -> None:
    """The migration waits for the database, everybody for the migration; who is waited for can be asked."""
    assert SERVICES["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in ("web", "worker"):
        assert SERVICES[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    for name in ("postgres", "valkey", "worker"):
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert is_command(SERVICES["worker"]["healthcheck"]["test"][2:])


def test_the_end_is_waited_for() -> None:
    """Longer than a request or a delivery may take once a process was told to end."""
    seconds = {name: int(SERVICES[name]["stop_grace_period"].removesuffix("s")) for name in ("web", "worker")}
    assert seconds["web"] > 30
    assert seconds["worker"] > 30


# --- the image ------------------------------------------------------------------------------------


def lines_of(instruction: str) -> list[str]:
    """Return what stands behind an instruction of the Dockerfile, each time."""
    return re.findall(rf"^{instruction} (.*)$", DOCKERFILE, re.MULTILINE)


def test_what_is_copied_is_there_and_goes_to_the_builder() -> None:
    """Every package of ours, and nothing that .dockerignore keeps out."""
    copied = [words for line in lines_of("COPY") if "--from" not in line for words in line.split()[:-1]]
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert set(PACKAGES) <= set(copied)
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored


def test_only_what_is_locked_is_installed() -> None:
    """By its hash; the product itself brings nothing along."""
    (installed,) = [line for line in lines_of("RUN") if "requirements.lock" in line]
    assert "--require-hashes" in installed
    assert "pip install --no-deps ." in DOCKERFILE


def test_the_image_runs_the_service_and_not_as_root() -> None:
    """By a number, so that a cluster can see it; its health is asked by a command of ours."""
    assert lines_of("USER")[-1] == "10001:10001"
    assert lines_of("ENTRYPOINT") == ['["chotdon"]']
    (first,) = lines_of("CMD")
    assert is_command(yaml.safe_load(first))
    (health,) = lines_of("HEALTHCHECK")
    assert is_command(yaml.safe_load(health[health.index("[") :])[1:])
    variables = re.findall(r"\b(CHOTDON_\w+)=", DOCKERFILE)
    assert variables
    assert all(is_setting(variable) for variable in variables)


def test_the_package_holds_every_file_that_the_product_reads() -> None:
    """Templates, pictures, texts and statements are named in pyproject.toml, or the image would lack them."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    named = pyproject["tool"]["setuptools"]["package-data"]
    tracked = subprocess.run(
        ["git", "ls-files", *PACKAGES],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    missing = [
        path
        for path in tracked
        if not path.endswith((".py", ".po", ".md"))
        and not any(
            fnmatch.fnmatch(path, f"{package}/{pattern}")
            for package, patterns in named.items()
            for pattern in patterns
        )
    ]
    assert missing == []


# --- systemd --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name
)
def test_a_unit_runs_a_command_of_ours(unit: Path) -> None:
    """As nobody special, who sees little and writes in one place; told to end, it is waited for."""
    text = unit.read_text("utf-8")
    (started,) = re.findall(r"^ExecStart=/opt/chotdon/\.venv/bin/chotdon (.*)$", text, re.MULTILINE)
    assert is_command(started.split())
    for line in ("User=chotdon", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="):
        assert f"\n{line}\n" in text
    if "Type=exec" in text:
        (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
        assert int(seconds) > 30
        assert "\nKillSignal=SIGTERM\n" in text


_ANALYZE: Final = shutil.which("systemd-analyze")


@pytest.mark.skipif(_ANALYZE is None, reason="this machine has no systemd")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """As they are, but for the program, which is not on this machine."""
    for unit in UNITS:
        text = unit.read_text("utf-8").replace("/opt/chotdon/.venv/bin/chotdon", "/bin/true")
        (tmp_path / unit.name).write_text(text, "utf-8")
    (tmp_path / "chotdon-worker@1.service").write_text(
        (tmp_path / "chotdon-worker@.service").read_text("utf-8")
    )
    checked = subprocess.run(
        [
            _ANALYZE or "",
            "verify",
            "--man=no",
            "--recursive-errors=no",
            *map(str, tmp_path.glob("*[!@].*")),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    ours = [line for line in checked.stderr.splitlines() if "chotdon" in line]
    assert ours == []
    assert checked.returncode == 0
