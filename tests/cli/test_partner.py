import json

import pytest

from core.database import Database
from tests.cli.conftest import KITCHEN, Operator


def test_a_partner_is_added_with_its_owner(operator: Operator) -> None:
    """One command gives a kitchen, an owner and where the owner is reached."""
    added = operator.reads(
        "partner",
        *("add", "--code", KITCHEN, "--name", "Cơm Nhà Lan", "--owner", "Lan"),
        *("--phone", "01629876543", "--email", "lan@example.com"),
    )
    assert added["code"] == KITCHEN
    assert (added["locale"], added["timezone"]) == ("vi", "Asia/Ho_Chi_Minh")
    owner = added["owner"]
    assert (owner["name"], owner["role"], owner["notified"]) == ("Lan", "owner", True)
    assert [known["value"] for known in owner["addresses"]] == ["+84329876543", "lan@example.com"]


def test_the_service_s_defaults_are_the_partner_s(operator: Operator) -> None:
    """A service in Tokyo has kitchens in Tokyo, unless told otherwise."""
    operator.settings.update(CHOTDON_TIMEZONE="Asia/Tokyo", CHOTDON_LOCALE="en")
    added = operator.reads("partner", "add", "--code", "bento", "--name", "Bento")
    assert (added["locale"], added["timezone"]) == ("en", "Asia/Tokyo")


def test_settings_are_set_and_taken_away(operator: Operator, kitchen: str) -> None:
    """A day ends a pause where it begins for the kitchen; none ends it now."""
    changed = operator.reads(
        *("partner", "set", kitchen, "--paused-until", "2099-11-30", "--quiet-hours", "22:00-06:00"),
        *("--sheet-at", "06:00", "--locale", "en"),
    )
    assert changed["paused_until"] == "2099-11-30T00:00:00+07:00"
    assert (changed["quiet_hours"], changed["sheet_at"], changed["locale"]) == ("22:00-06:00", "06:00", "en")

    gone = ("--paused-until", "none", "--quiet-hours", "none", "--sheet-at", "none")
    changed = operator.reads("partner", "set", kitchen, *gone)
    assert (changed["paused_until"], changed["quiet_hours"], changed["sheet_at"]) == (None, None, None)
    assert changed["locale"] == "en"


def test_a_pause_takes_a_timestamp(operator: Operator, kitchen: str) -> None:
    """An exact moment is one moment, in whatever zone it is given."""
    changed = operator.reads("partner", "set", kitchen, "--paused-until", "2099-11-30T00:00:00Z")
    assert changed["paused_until"] == "2099-11-30T07:00:00+07:00"


@pytest.mark.parametrize(
    "words",
    [
        ("partner", "set", KITCHEN, "--paused-until", "tomorrow"),
        ("partner", "set", KITCHEN, "--paused-until", "2026-11-30T00:00:00"),
        ("partner", "set", KITCHEN, "--paused-until", "2026-02-30"),
        ("partner", "set", KITCHEN, "--quiet-hours", "22-6"),
        ("partner", "set", KITCHEN, "--quiet-hours", "25:00-06:00"),
        ("partner", "set", KITCHEN, "--sheet-at", "6"),
        ("partner", "set", KITCHEN, "--locale", "fr"),
        ("partner", "set"),
        ("partner", "add", "--code", "x"),
        ("staff", "add", KITCHEN, "--name", "Hoa", "--role", "chef"),
        ("link", KITCHEN, "--channel", "fax"),
        ("partner", "fly"),
    ],
)
def test_a_bad_argument_is_told_at_once(operator: Operator, words: tuple[str, ...]) -> None:
    """What cannot be read is said in words, with the status for a wrong call."""
    assert "Error: " in operator.is_refused(*words, exit_code=2)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("partner", "add", "--code", KITCHEN, "--name", "x"), f"There is a partner {KITCHEN} already."),
        (("partner", "add", "--code", "Cơm", "--name", "x"), "A partner's code is a-z"),
        (("partner", "add", "--code", "x", "--name", " "), "A name has 1 to 120 printable characters."),
        (("partner", "add", "--code", "x", "--name", "x", "--phone", "8041"), "This is no phone number"),
        (("partner", "add", "--code", "x", "--name", "x", "--email", "x"), "This is no mail address."),
        (("partner", "add", "--code", "x", "--name", "x", "--timezone", "Mars"), "no time zone Mars"),
        (("partner", "set", "nobody", "--locale", "en"), "There is no partner nobody."),
        (("partner", "set", KITCHEN, "--paused-until", "2020-01-01"), "This moment is past"),
        (("partner", "set", KITCHEN, "--paused-until", "0001-01-01"), "This moment is past"),
        (("staff", "add", KITCHEN, "--name", "LAN", "--role", "kitchen"), "somebody called LAN already"),
        (("staff", "remove", KITCHEN, "--name", "Hoa"), "There is nobody called Hoa; there are: Lan."),
        (("staff", "list", "nobody"), "There is no partner nobody."),
        (("link", KITCHEN, "--staff", "Hoa", "--channel", "zalo"), "nobody called Hoa"),
    ],
)
def test_a_refusal_says_what_is_wrong(
    operator: Operator, kitchen: str, words: tuple[str, ...], told: str
) -> None:
    """Whoever typed it knows what to type instead."""
    assert told in operator.is_refused(*words)


def test_staff_come_and_go(operator: Operator, kitchen: str) -> None:
    """A cook with --notify is told; once removed, she is gone from the list."""
    hoa = operator.reads(
        "staff",
        "add",
        kitchen,
        "--name",
        "Hoa",
        "--role",
        "kitchen",
        "--email",
        "hoa@example.com",
        "--notify",
    )
    assert (hoa["name"], hoa["notified"]) == ("Hoa", True)
    listed = operator.reads("staff", "list", kitchen)["items"]
    assert [(member["name"], member["role"]) for member in listed] == [("Lan", "owner"), ("Hoa", "kitchen")]

    assert operator.reads("staff", "remove", kitchen, "--name", "hoa") == {"removed": "Hoa"}
    assert [member["name"] for member in operator.reads("staff", "list", kitchen)["items"]] == ["Lan"]


def test_the_last_owner_stays(operator: Operator, kitchen: str) -> None:
    """A kitchen always has somebody who may run it; after another owner was added, Lan may leave."""
    assert "Lan is the last owner" in operator.is_refused("staff", "remove", kitchen, "--name", "Lan")
    operator.reads("staff", "add", kitchen, "--name", "Hoa", "--role", "owner")
    result = operator.types("staff", "remove", kitchen, "--name", "Lan", "--json")
    assert json.loads(result.stdout) == {"removed": "Lan"}


def test_people_read_a_table(operator: Operator, kitchen: str) -> None:
    """Without --json the columns stand under each other."""
    header, lan = operator.types("staff", "list", kitchen).stdout.splitlines()
    assert header.split() == ["NAME", "ROLE", "NOTIFIED", "ADDRESSES"]
    assert lan.split("  ")[0] == "Lan"
    assert lan.endswith("phone +84901234567")
    assert header.index("ROLE") == lan.index("owner")


def test_a_link_code_is_for_the_owner_unless_said(operator: Operator, kitchen: str) -> None:
    """The text is what Lan sends in Zalo."""
    code = operator.reads("link", kitchen, "--channel", "zalo")
    assert code["text"] == f"LK {code['code']}"
    assert len(code["code"]) == 6
    assert code["expires_at"].endswith("+07:00")


def test_a_platform_is_given_its_keys_once(operator: Operator) -> None:
    """The keys are printed, and a second platform of the name is refused."""
    keys = operator.reads("platform", "add", "pitaya", "--scope", "own", "--no-notify-customer")
    assert set(keys) == {"name", "api_key", "webhook_secret"}
    assert keys["webhook_secret"].startswith("whsec_")
    assert "There is a platform pitaya already." in operator.is_refused("platform", "add", "pitaya")


@pytest.mark.parametrize(
    "url", ["http://pitaya.vn/", "https://127.0.0.1/", "ftp://x", "https://a:b@pitaya.vn/"]
)
def test_a_webhook_goes_nowhere_private(operator: Operator, url: str) -> None:
    """An address inside our own network is refused when it is given."""
    assert "Webhooks do not go there" in operator.is_refused(
        "platform", "add", "pitaya", "--webhook-url", url
    )


def test_help_has_an_example_for_every_command(operator: Operator) -> None:
    """Whoever asks for help finds a line to copy."""
    for words in (
        ("platform", "add"),
        ("partner", "add"),
        ("partner", "set"),
        ("staff", "add"),
        ("staff", "remove"),
        ("staff", "list"),
        ("link",),
        ("order", "list"),
        ("order", "show"),
        ("order", "confirm"),
        ("order", "cancel"),
        ("order", "complete"),
        ("message", "list"),
        ("clock", "show"),
        ("clock", "advance"),
        ("clock", "reset"),
        ("zalo", "authorize"),
        ("zalo", "token"),
        ("doctor",),
    ):
        helped = operator.types(*words, "--help")
        assert helped.exit_code == 0
        assert f"Example: chotdon {' '.join(words)}" in " ".join(helped.stdout.split())


def test_what_is_done_to_a_kitchen_is_on_record(operator: Operator, kitchen: str) -> None:
    """Who did it, by the command line, to what: also where nobody says who they are."""
    operator.reads("partner", "set", kitchen, "--paused-until", "2099-11-30", "--by", "Minh")
    operator.reads("staff", "add", kitchen, "--name", "Hoa", "--role", "kitchen", "--by", "Minh")
    operator.reads("staff", "remove", kitchen, "--name", "hoa")

    assert deeds(operator) == [
        (None, "partner.added", kitchen),
        ("Minh", "partner.changed", kitchen),
        ("Minh", "staff.added", kitchen),
        (None, "staff.removed", kitchen),
    ]


def deeds(operator: Operator) -> list[tuple[str | None, str, str]]:
    """Return what stands in the record, who where a name was given."""

    async def work(database: Database) -> list[tuple[str | None, str, str]]:
        rows = await database.pool.fetch("SELECT who, via, deed, about FROM audit ORDER BY id")
        assert {row["via"] for row in rows} == {"cli"}
        assert all(row["who"] for row in rows)
        return [(row["who"] if row["who"] == "Minh" else None, row["deed"], row["about"]) for row in rows]

    return operator.with_database(work)
