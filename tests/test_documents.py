"""Documents say what is: what a test can keep true, this one keeps."""

import re
from pathlib import Path
from typing import Final

from cli.env_example import example

ROOT: Final = Path(__file__).parent.parent
SOURCES: Final = ("core", "zalo_oa", "bot", "jobs", "sandbox", "cli")


def test_every_fact_that_the_code_cites_stands_in_the_list_of_facts() -> None:
    """A citation leads somewhere, and no fact is kept that nothing depends on."""
    named = set(re.findall(r'<a id="([a-z0-9-]+)">', (ROOT / "docs/facts.md").read_text("utf-8")))
    cited = {
        name
        for folder in SOURCES
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"docs/facts\.md#([a-z0-9-]+)", path.read_text("utf-8"))
    }

    assert cited == named


def test_decisions_are_short() -> None:
    """A decision that needs more than forty lines is not decided yet."""
    decisions = list((ROOT / "docs/decisions").glob("*.md"))

    assert decisions
    assert [path.name for path in decisions if len(path.read_text("utf-8").splitlines()) > 40] == []


def test_every_link_in_a_document_leads_to_a_file() -> None:
    """A reader who clicks finds what was promised."""
    documents = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    missing = [
        f"{path.name}: {target}"
        for path in documents
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", path.read_text("utf-8"))
        if not (path.parent / target).exists()
    ]

    assert missing == []


def test_the_example_of_settings_is_made_from_the_settings() -> None:
    """Whoever adds a setting runs `python -m cli.env_example > .env.example`."""
    assert (ROOT / ".env.example").read_text("utf-8") == example()
