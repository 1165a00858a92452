import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from cli.advice import advice
from cli.open_questions import OPEN_QUESTIONS
from core.database import Database
from core.settings import Settings
from sandbox.mailbox import Mailbox
from sandbox.sms import FakeEsms, FakeSpeedSms, FakeTwilio
from sandbox.sms.gateway import SmsFake
from sandbox.zalo import FakeZalo
from tests.bot.sms.smsc import RealSmsc, ScriptedSmsc, free_port
from tests.cli.conftest import Operator


def by_part(told: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return state and words of each part that was found."""
    return {found["part"]: (found["state"], found["words"]) for found in told["findings"]}


async def examined(operator: Operator, *, exit_code: int = 0) -> dict[str, tuple[str, str]]:
    """Run the doctor beside this test's servers."""
    told = await asyncio.to_thread(operator.reads, "doctor", exit_code=exit_code)
    return by_part(told)


def set_up(operator: Operator, settings: Mapping[str, str]) -> None:
    """Write these settings into the operator's environment."""
    operator.settings.update({f"CHOTDON_{name.upper()}": value for name, value in settings.items()})


@pytest.fixture
async def zalo(operator: Operator) -> AsyncIterator[FakeZalo]:
    """Yield a Zalo that our Official Account belongs to."""
    async with FakeZalo() as zalo:
        set_up(operator, zalo.settings())
        yield zalo


async def test_a_healthy_service_has_no_fault(operator: Operator, zalo: FakeZalo) -> None:
    """Everything answers; what is not set up is said to be off."""
    async with Mailbox() as mailbox:
        operator.settings.update(CHOTDON_SMTP_URL=mailbox.smtp_url, CHOTDON_EMAIL_FROM="don@example.com")
        found = await examined(operator)
    states = {part: state for part, (state, _) in found.items()}
    assert states == {
        "settings": "ok",
        "database": "ok",
        "zalo": "ok",
        "redis": "ok",
        "email": "ok",
        "telegram": "off",
        "sms": "off",
    }
    assert zalo.office.oa_name in found["zalo"][1]


async def test_a_channel_without_settings_is_off_not_faulty(operator: Operator) -> None:
    """It says what it would need."""
    found = await examined(operator)
    assert found["email"] == ("off", "needs CHOTDON_SMTP_URL, CHOTDON_EMAIL_FROM")
    assert found["zalo"][0] == "off"


async def test_every_fault_is_told_at_once(operator: Operator) -> None:
    """Bad settings, no Redis, no mail server, no database: one run names them all."""
    operator.redis_url = "redis://:secret@127.0.0.1:1/0"
    operator.database_url = "postgres://chotdon:secret@127.0.0.1:1/chotdon"
    operator.settings.update(
        CHOTDON_REMINDER_HOUR="99",
        CHOTDON_BASE_URL="nowhere",
        CHOTDON_SMTP_URL="smtp://user:secret@127.0.0.1:1?tls=none",
        CHOTDON_EMAIL_FROM="don@example.com",
        CHOTDON_ZALO_APP_ID="1",
    )
    told = await asyncio.to_thread(operator.reads, "doctor", exit_code=1)
    faulty = [found for found in told["findings"] if found["state"] == "fault"]
    assert sorted(found["part"] for found in faulty) == [
        "database",
        "email",
        "redis",
        "settings",
        "settings",
        "zalo",
    ]
    assert "secret" not in str(told)
    assert told["ok"] is False


async def test_production_s_missing_settings_are_faults(operator: Operator) -> None:
    """What would stop a start is named, and the rest is looked at all the same."""
    operator.settings.update(
        CHOTDON_ENV="production", CHOTDON_SECRET_KEY="", CHOTDON_BASE_URL="http://don.vn"
    )
    told = await asyncio.to_thread(operator.reads, "doctor", exit_code=1)
    words = [found["words"] for found in told["findings"] if found["state"] == "fault"]
    assert words == [
        "CHOTDON_SECRET_KEY is required in production",
        "CHOTDON_BASE_URL must be https in production",
    ]
    assert by_part(told)["database"][0] == "ok"


async def test_a_schema_that_is_behind_is_a_fault(operator: Operator) -> None:
    """The doctor names the command that mends it."""

    async def empty(database: Database) -> None:
        await database.pool.execute("DROP SCHEMA public CASCADE")
        await database.pool.execute("CREATE SCHEMA public")

    await asyncio.to_thread(operator.with_database, empty)
    state, words = (await examined(operator, exit_code=1))["database"]
    assert state == "fault"
    assert "chotdon migrate" in words


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"CHOTDON_ZALO_OA_ID": "1"}, "names another"),
        ({"CHOTDON_ZALO_APP_SECRET": "wrong", "CHOTDON_ZALO_ACCESS_TOKEN": "stale"}, "-14014"),
        ({"CHOTDON_ZALO_ACCESS_TOKEN": ""}, "no token pair"),
        ({"CHOTDON_ZALO_OPENAPI_URL": "http://127.0.0.1:1"}, "no answer that can be used"),
        ({"CHOTDON_ZALO_OA_SECRET": ""}, "set up in part: CHOTDON_ZALO_OA_SECRET is missing"),
    ],
)
async def test_what_is_wrong_with_zalo_is_told(
    operator: Operator, zalo: FakeZalo, changed: dict[str, str], told: str
) -> None:
    """Another account's token, a burned token, no token, no Zalo, half a setting."""
    operator.settings.update(changed)
    state, words = (await examined(operator, exit_code=1))["zalo"]
    assert state == "fault"
    assert told in words


async def test_an_unreadable_sender_is_a_fault(operator: Operator) -> None:
    """A mail server alone does not make mails."""
    async with Mailbox() as mailbox:
        operator.settings.update(CHOTDON_SMTP_URL=mailbox.smtp_url, CHOTDON_EMAIL_FROM="nobody")
        found = await examined(operator, exit_code=1)
    assert found["email"][0] == "fault"
    assert "CHOTDON_EMAIL_FROM" in found["email"][1]


# --- SMS --------------------------------------------------------------------------------------------

GATEWAYS: Final = (FakeEsms, FakeSpeedSms, FakeTwilio)
#: What each is asked by, in words of its path.
ASKED: Final = {"esms": "/GetSendStatus", "speedsms": "/user/info", "twilio": "/Accounts/"}


@pytest.fixture(params=GATEWAYS, ids=lambda gateway: gateway.name)
async def sms(request: pytest.FixtureRequest, operator: Operator) -> AsyncIterator[SmsFake]:
    """Yield an SMS gateway of ours, set up."""
    fake: SmsFake = request.param()
    async with fake:
        set_up(operator, fake.settings)
        yield fake


async def test_a_gateway_that_takes_our_keys_is_well(operator: Operator, sms: SmsFake) -> None:
    """Nobody gets an SMS by it."""
    state, words = (await examined(operator))["sms"]
    assert state == "ok", words
    assert "takes our" in words
    assert sms.accepted == {}


BAD_KEYS: Final = {
    "esms": ("ESMS_SECRET_KEY", "101"),
    "speedsms": ("SPEEDSMS_TOKEN", "does not take our token"),
    "twilio": ("TWILIO_AUTH_TOKEN", "20003"),
}


async def test_a_bad_key_is_a_fault_and_is_not_printed(operator: Operator, sms: SmsFake) -> None:
    """The gateway's own word for it stands beside what to look at."""
    name, told = BAD_KEYS[sms.name]
    operator.settings[f"CHOTDON_{name}"] = "not-the-key"
    state, words = (await examined(operator, exit_code=1))["sms"]
    assert (state, told in words) == ("fault", True), words
    assert "not-the-key" not in words


async def test_a_gateway_that_is_away_is_a_fault(operator: Operator, sms: SmsFake) -> None:
    """Nobody listens there."""
    await sms.refuse()
    state, words = (await examined(operator, exit_code=1))["sms"]
    assert (state, "gave no answer" in words) == ("fault", True), words


async def test_a_gateway_that_hangs_is_not_waited_for(operator: Operator, sms: SmsFake) -> None:
    """Six seconds at most, with everything else that is looked at meanwhile."""
    sms.hang(30, times=None, path=ASKED[sms.name])
    started = time.monotonic()
    state, words = (await examined(operator, exit_code=1))["sms"]
    assert (state, "gave no answer" in words) == ("fault", True), words
    assert time.monotonic() - started < 8


async def test_what_is_no_answer_of_the_gateway_is_a_fault(operator: Operator, sms: SmsFake) -> None:
    """A proxy's page under 200, a server's error."""
    for status in (200, 502):
        sms.status_next(status, path=ASKED[sms.name])
        state, words = (await examined(operator, exit_code=1))["sms"]
        assert (state, "no answer that can be used" in words) == ("fault", True), words


async def test_an_account_that_cannot_send_is_a_fault(operator: Operator) -> None:
    """Good keys alone do not send: an empty purse, an account that is shut."""
    async with FakeSpeedSms() as speedsms, FakeTwilio() as twilio:
        speedsms.balance, twilio.status = 0, "suspended"
        for fake, told in ((speedsms, "purse is empty"), (twilio, "suspended")):
            set_up(operator, fake.settings)
            state, words = (await examined(operator, exit_code=1))["sms"]
            assert (state, told in words) == ("fault", True), words


async def test_a_direct_bind_is_made_and_ended(operator: Operator) -> None:
    """Against a real SMSC: bound once, and gone again."""
    async with RealSmsc() as smsc:
        set_up(operator, smpp_at(smsc.port))
        state, words = (await examined(operator))["sms"]
        assert (state, "lets kitchen in" in words) == ("ok", True), words
        await smsc.session()


@pytest.mark.parametrize(
    ("status", "state", "told"),
    [(0x0E, "fault", "ESME_RINVPASWD"), (0x05, "ok", "has our bind already"), (0xFF, "fault", "let us in")],
    ids=["a bad password", "the worker is bound", "an unknown error"],
)
async def test_what_an_smsc_says_to_our_bind(operator: Operator, status: int, state: str, told: str) -> None:
    """A worker's own bind is no fault."""
    async with ScriptedSmsc() as smsc:
        set_up(operator, smpp_at(smsc.port))
        looking = asyncio.create_task(examined(operator, exit_code=int(state == "fault")))
        await (await smsc.wire()).bind(status)
        found = await looking
    assert (found["sms"][0], told in found["sms"][1]) == (state, True), found["sms"]
    assert "s@cret" not in str(found)


async def test_an_smsc_that_is_away_or_silent_is_a_fault(operator: Operator) -> None:
    """One port where nobody listens, one where nobody answers."""
    set_up(operator, smpp_at(free_port()))
    state, words = (await examined(operator, exit_code=1))["sms"]
    assert (state, "no SMSC at" in words) == ("fault", True), words
    async with ScriptedSmsc() as smsc:
        set_up(operator, smpp_at(smsc.port))
        state, words = (await examined(operator, exit_code=1))["sms"]
    assert (state, "gave no answer" in words) == ("fault", True), words


def smpp_at(port: int) -> dict[str, str]:
    """Return the settings of a bind at this port."""
    url = f"smpp://kitchen:s%40cret@127.0.0.1:{port}"
    return {"sms_gateway": "smpp", "smpp_url": url, "sms_reply_number": "8041"}


# --- Halves -----------------------------------------------------------------------------------------


async def test_half_a_gateway_is_a_fault(operator: Operator) -> None:
    """Every missing name at once."""
    set_up(operator, {"sms_gateway": "twilio", "twilio_from": "+12025550147"})
    found = await examined(operator, exit_code=1)
    missing = "CHOTDON_TWILIO_ACCOUNT_SID, CHOTDON_TWILIO_AUTH_TOKEN is missing"
    assert found["sms"] == ("fault", f"set up in part: {missing}")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"esms_api_key": "k"}, "CHOTDON_SMS_GATEWAY is missing: the settings of esms are not used"),
        (
            {"sms_gateway": "esms", "sms_reply_number": "8041"},
            "CHOTDON_ESMS_PRIVATE_KEY is missing: answers to the short code are not taken in",
        ),
        (
            {"sms_gateway": "esms", "esms_private_key": "k"},
            "CHOTDON_SMS_REPLY_NUMBER is missing: an SMS cannot say where to answer",
        ),
        (
            {"sms_gateway": "speedsms", "sms_reply_number": "0281000111"},
            "CHOTDON_SPEEDSMS_SENDER is missing: SpeedSMS wants one for messages of type 8",
        ),
        (
            {
                "chat_order": "zalo",
                "sms_gateway": "twilio",
                "twilio_account_sid": "AC1",
                "twilio_auth_token": "t",
                "twilio_from": "+12025550147",
                "sms_reply_number": "+12025550147",
            },
            "CHOTDON_CHAT_ORDER leaves out sms: kitchens are not told by it",
        ),
    ],
    ids=["no gateway named", "no private key", "no number", "no sender", "left out of the order"],
)
def test_what_works_less_well_than_it_could_is_advice(settings: dict[str, Any], told: str) -> None:
    """No fault, but a line with the setting's name."""
    assert advice(Settings(_env_file=None, **settings)) == (told,)


def test_a_gateway_with_all_it_needs_gets_no_advice() -> None:
    """Silence is the good answer."""
    for gateway in (FakeEsms(), FakeSpeedSms(), FakeTwilio()):
        known: dict[str, Any] = {
            name: value for name, value in gateway.settings.items() if not name.endswith("_url")
        }
        assert advice(Settings(_env_file=None, **known)) == ()


async def test_advice_is_printed_and_leaves_the_exit_status_alone(operator: Operator, zalo: FakeZalo) -> None:
    """Zalo works without templates, for whoever writes to it."""
    told = await asyncio.to_thread(operator.reads, "doctor")
    words = "CHOTDON_ZALO_TEMPLATES is missing: who has not written for 7 days is not reached on Zalo"
    assert told["advice"] == [words]
    printed = await asyncio.to_thread(operator.types, "doctor")
    assert f"  - {words}" in printed.stdout
    assert printed.exit_code == 0


@pytest.mark.parametrize(
    ("templates", "labels", "told"),
    [
        ('{"order_new": {"id": "1", "quick_reply": true}}', "", "a tap on the buttons of a template"),
        ('{"order_nwe": "1"}', "", "order_nwe is no kind of notice"),
        ('{"order_new": {"quick_reply": true}}', "", "order_new has no template id"),
        ('{"order_new": "1"}', '{"Nhận đơn": "accept"}', "Nhận đơn must be confirm, cancel or complete"),
    ],
    ids=["no labels", "no such notice", "no id", "no such deed"],
)
async def test_settings_of_zalo_that_do_not_fit_are_faults(
    operator: Operator, zalo: FakeZalo, templates: str, labels: str, told: str
) -> None:
    """What the services would stumble over when they start, or a kitchen when it taps."""
    operator.settings.update(CHOTDON_ZALO_TEMPLATES=templates, CHOTDON_ZALO_QUICK_REPLIES=labels)
    found = await examined(operator, exit_code=1)
    assert (found["settings"][0], told in found["settings"][1]) == ("fault", True), found["settings"]
    assert found["zalo"][0] == "ok"


# --- What only a real account can settle ------------------------------------------------------------


def unconfirmed() -> set[str]:
    """Return the rows of facts that say of themselves that nobody has confirmed them."""
    facts = (Path(__file__).parents[2] / "docs" / "facts.md").read_text("utf-8")
    rows = re.findall(r'^\| <a id="([a-z0-9-]+)">.*not confirmed.*$', facts, re.MULTILINE)
    return {f"docs/facts.md#{anchor}" for anchor in rows}


def test_every_open_question_is_a_fact_that_is_not_confirmed() -> None:
    """And every such fact is asked about; whoever settles one takes it out in both places."""
    assert {each.fact for each in OPEN_QUESTIONS} == unconfirmed()


async def test_the_checklist_is_about_what_is_set_up(operator: Operator, zalo: FakeZalo) -> None:
    """Nobody with Zalo and eSMS is asked about binds; nobody without a gateway is asked anything."""
    async with FakeEsms() as esms:
        set_up(operator, esms.settings)
        told = await asyncio.to_thread(operator.reads, "doctor")
        printed = (await asyncio.to_thread(operator.types, "doctor")).stdout
    assert {each["part"] for each in told["to_settle"]} == {"zalo", "sms", "esms"}
    for each in told["to_settle"]:
        assert f"[ ] {each['part']}: {each['question']}" in printed
        assert f"{each['how']} ({each['fact']})" in printed
    operator.settings.clear()
    assert (await asyncio.to_thread(operator.reads, "doctor"))["to_settle"] == []
