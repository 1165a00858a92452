"""Cards reach people through the sandbox's Zalo, and every trouble becomes one outcome."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from core import channels
from core.channels import (
    Address,
    AddressKind,
    Block,
    BlockRole,
    Button,
    Card,
    ChannelName,
    Charge,
    NoSuchRecipient,
    Outcome,
    ReceiptKind,
    Refused,
    Scope,
    Sent,
    TryLater,
)
from core.clock import StillClock
from core.errors import Misconfigured
from sandbox.zalo.errors import MESSAGES
from sandbox.zalo.fake import FakeZalo
from sandbox.zalo.person import Person
from sandbox.zalo.templates import Param, Template
from tests.zalo_oa.conftest import NOW, FixedTokens, config_at
from zalo_oa import channel as zalo_channel
from zalo_oa.channel import ZaloChannel, outcome, templates, token_alarm
from zalo_oa.client import Accepted, Declined, Failure, Unclear, Undelivered, ZaloClient, open_session
from zalo_oa.credentials import ConsentNeeded, FreshTokenRefused, NoTokens, RefreshFailed, TokenTrouble
from zalo_oa.errors import FAULTS, Fault, Host, Remedy, fault

LAN_ID = "246845883529197922"
LAN_PHONE = "84912345678"
KEY = "0198c0de-0000-7000-8000-00000000000a"
MINUTES = timedelta(minutes=3)
CARD = Card(
    kind="order_new",
    locale="vi",
    title="Đơn mới 48273",
    short="Don moi 48273",
    blocks=(Block(BlockRole.WHEN, ("11:30 23/11/2026",), "Giao"),),
    buttons=(Button("Xác nhận đơn hàng", payload="A" * 60),),
    template={"order_code": "48273", "partner_name": "Cơm nhà Lan"},
)


@dataclass(slots=True)
class Fixed(FixedTokens):
    """Tokens, or what keeps us from having one."""

    trouble: TokenTrouble | None = None

    async def access_token(self) -> str:
        """Return the present token, or raise."""
        if self.trouble:
            raise self.trouble
        return self.tokens[0]


@dataclass(slots=True)
class Lan:
    """Lan at her phone, and the channel that wants to reach her."""

    person: Person
    gateway: FakeZalo
    channel: ZaloChannel
    tokens: Fixed

    async def gets(self, card: Card = CARD, *, quiet_for: timedelta = timedelta()) -> Outcome:
        """Send a card to Lan's user id; we last heard from her that long ago."""
        address = Address(AddressKind.ZALO_USER, self.person.user_id, NOW - quiet_for)
        return await self.channel.send(address, card, key=KEY)

    async def gets_by_phone(self, card: Card = CARD, *, phone: str = f"+{LAN_PHONE}") -> Outcome:
        """Send a card to a phone."""
        return await self.channel.send(Address(AddressKind.PHONE, phone), card, key=KEY)


@pytest.fixture
async def lan() -> AsyncIterator[Lan]:
    """Lan wrote to the account just now; one template is approved."""
    clock = StillClock(NOW)
    async with FakeZalo(clock=clock.now) as gateway:
        person = gateway.person(LAN_ID, "Lan", phone=LAN_PHONE)
        person.last_interaction = NOW
        gateway.add_template(
            Template("31239", "Đơn mới", "Đơn <order_code>", params=(Param("order_code", 30),))
        )
        tokens = Fixed([gateway.issue_tokens().access_token, gateway.issue_tokens().access_token])
        client = ZaloClient(config_at(gateway.url), open_session(), tokens)
        gateway.add_template(
            Template(
                "41239",
                "Nhắc",
                "Đơn <order_code> chờ bạn",
                params=(Param("order_code", 30),),
                responses=("Xác nhận đơn", "Huỷ đơn"),
            )
        )
        chosen = {"order_new": 31239, "confirm_nudge": {"id": "41239", "quick_reply": True}}
        channel = ZaloChannel(
            client,
            clock=clock,
            templates=templates(chosen),
            delivery_within=MINUTES,
            picture="https://chotdon.example/share-phone.png",
        )
        yield Lan(person, gateway, channel, tokens)
        await channel.close()


async def test_lan_sees_the_card_and_its_button(lan: Lan) -> None:
    """Inside the window it is a consultation message, sent when Zalo accepts it."""
    sent = await lan.gets()
    bubble = await lan.person.sees("Đơn mới 48273\n\nGiao: 11:30 23/11/2026")
    assert sent == Sent(bubble.message_id, charge=Charge("zalo_cs", dong=0))
    assert [button.target for button in bubble.buttons] == ["#cd:" + "A" * 60]
    assert lan.channel.name is ChannelName.ZALO


@pytest.mark.parametrize(
    ("quiet", "charge", "billed"),
    [
        (timedelta(), Charge("zalo_cs", dong=0), False),
        (timedelta(hours=48), Charge("zalo_cs", dong=0), False),
        (timedelta(hours=48, seconds=1), Charge("zalo_cs_late"), True),
        (timedelta(days=6, hours=23), Charge("zalo_cs_late"), True),
    ],
    ids=["now", "48 h", "just after", "almost 7 d"],
)
async def test_within_7_days_it_is_a_consultation_message(
    lan: Lan, quiet: timedelta, charge: Charge, *, billed: bool
) -> None:
    """Zalo takes money for it after 48 hours, and we know."""
    lan.person.last_interaction = NOW - quiet
    sent = await lan.gets(quiet_for=quiet)
    bubble = await lan.person.sees("Đơn mới")
    assert sent == Sent(bubble.message_id, charge=charge)
    assert bubble.billed is billed


async def test_after_7_days_the_template_goes_to_the_user_id(lan: Lan) -> None:
    """Acceptance is no proof there: without a receipt the next channel takes over."""
    lan.person.last_interaction = NOW - timedelta(days=8)
    sent = await lan.gets(quiet_for=timedelta(days=8))
    bubble = await lan.person.sees("Đơn 48273")
    assert sent == Sent(bubble.message_id, MINUTES, Charge("zalo_zbs_uid"))
    assert bubble.kind == "template"


async def test_after_7_days_without_a_template_the_next_channel_takes_over(lan: Lan) -> None:
    """Nothing is sent, and Lan's address is not to blame."""
    answer = Card("answer", "vi", "Trợ giúp", "")
    outcome = await lan.gets(answer, quiet_for=timedelta(days=7))
    assert outcome == NoSuchRecipient("no template for this notice", Scope.MESSAGE)
    assert lan.person.received == []


async def test_a_phone_gets_the_template(lan: Lan) -> None:
    """The key travels as the tracking id, and comes back with the receipt."""
    sent = await lan.gets_by_phone()
    bubble = await lan.person.sees("Đơn 48273")
    assert sent == Sent(bubble.message_id, MINUTES, Charge("zalo_zbs_phone"))
    assert bubble.tracking_id == KEY.replace("-", "")


@pytest.mark.parametrize("phone", ["+6591234567", "1900", ""])
async def test_a_phone_that_zbs_does_not_take_costs_no_call(lan: Lan, phone: str) -> None:
    """ZBS is for Vietnamese numbers."""
    assert await lan.gets_by_phone(phone=phone) == NoSuchRecipient("not a phone that ZBS takes")


async def test_a_phone_that_is_not_on_zalo(lan: Lan) -> None:
    """-118 says something about the phone itself: it is left alone for 30 days."""
    assert await lan.gets_by_phone(phone="+84987654321") == NoSuchRecipient(
        "-118 phone has no Zalo account, or a disabled one", Scope.RECIPIENT, out_for=timedelta(days=30)
    )


async def test_a_window_that_was_closed_all_along(lan: Lan) -> None:
    """Zalo knows better: we have not heard from Lan, and nothing is wrong with her address."""
    lan.person.last_interaction = NOW - timedelta(days=8)
    assert await lan.gets() == NoSuchRecipient(
        "-230 user has not interacted within 7 days", Scope.MESSAGE, unheard=True
    )
    lan.person.last_interaction = None
    assert await lan.gets() == NoSuchRecipient(
        "-232 user never interacted, or the interaction expired", Scope.MESSAGE, unheard=True
    )


async def test_a_user_whom_nobody_has_dated_is_tried(lan: Lan) -> None:
    """Zalo will tell; a stranger who has just written is such a user."""
    answer = Card("answer", "vi", "Trợ giúp", "")
    assert isinstance(await lan.channel.send(Address(AddressKind.ZALO_USER, LAN_ID), answer, key=KEY), Sent)
    assert [bubble.kind for bubble in lan.person.received] == ["text"]


@pytest.mark.parametrize(
    ("address", "kind", "reached"),
    [
        (Address(AddressKind.ZALO_USER, LAN_ID, NOW), "answer", True),
        (Address(AddressKind.ZALO_USER, LAN_ID, NOW - timedelta(days=6, hours=23)), "answer", True),
        (Address(AddressKind.ZALO_USER, LAN_ID, NOW - timedelta(days=7)), "answer", False),
        (Address(AddressKind.ZALO_USER, LAN_ID, NOW - timedelta(days=7)), "order_new", True),
        (Address(AddressKind.ZALO_USER, LAN_ID), "answer", True),
        (Address(AddressKind.ZALO_USER, LAN_ID, NOW - timedelta(days=7)), "order_changed", False),
        (Address(AddressKind.ZALO_USER, LAN_ID, NOW - timedelta(days=7)), "confirm_nudge", False),
        (Address(AddressKind.PHONE, "+84912345678"), "confirm_nudge", True),
        (Address(AddressKind.PHONE, "+84912345678"), "order_new", True),
        (Address(AddressKind.PHONE, "+84912345678"), "answer", False),
        (Address(AddressKind.PHONE, "+6591234567"), "order_new", False),
        (Address(AddressKind.EMAIL, "lan@example.com"), "order_new", False),
        (Address(AddressKind.TELEGRAM_CHAT, "1"), "order_new", False),
    ],
)
async def test_whom_the_channel_reaches(lan: Lan, address: Address, kind: str, *, reached: bool) -> None:
    """An open window, or a template that the address can be sent; what `send` does agrees with it."""
    assert lan.channel.reaches(address, kind, now=NOW) is reached
    outcome = await lan.channel.send(address, replace(CARD, kind=kind), key=KEY)
    assert isinstance(outcome, Sent) is reached


async def test_a_template_with_response_buttons_goes_to_phones(lan: Lan) -> None:
    """Lan can answer by a tap though she never wrote to the account."""
    sent = await lan.gets_by_phone(replace(CARD, kind="confirm_nudge"))
    bubble = await lan.person.sees("Đơn 48273 chờ bạn")
    assert sent == Sent(bubble.message_id, MINUTES, Charge("zalo_zbs_phone"))
    assert [button.title for button in bubble.buttons] == ["Xác nhận đơn", "Huỷ đơn"]


async def test_a_card_that_wants_a_phone_is_zalos_form_for_it(lan: Lan) -> None:
    """Its title and its words stand above the button by which name and phone are shared."""
    card = Card(
        "answer", "vi", "Chào bạn", "", blocks=(Block(BlockRole.TEXT, ("Chia sẻ số nhé",)),), wants_phone=True
    )
    assert isinstance(await lan.gets(card), Sent)
    bubble = await lan.person.sees("Chào bạn\nChia sẻ số nhé")
    assert bubble.kind == "request_user_info"


async def test_too_many_calls_wait_as_long_as_zalo_says(lan: Lan) -> None:
    """429 delivered nothing; `Retry-After` is heeded."""
    lan.gateway.too_many(30)
    assert await lan.gets() == TryLater("HTTP 429", timedelta(seconds=30))
    assert isinstance(await lan.gets(), Sent)


async def test_how_far_a_message_by_phone_came(lan: Lan) -> None:
    """ZBS tells whether it reached the phone; of what it does not know, and of user ids, nothing."""
    sent = await lan.gets_by_phone()
    assert isinstance(sent, Sent)
    phone, user = Address(AddressKind.PHONE, f"+{LAN_PHONE}"), Address(AddressKind.ZALO_USER, LAN_ID)
    assert await lan.channel.ask(phone, sent.id or "") is ReceiptKind.DELIVERED
    lan.person.offline = True
    assert await lan.channel.ask(phone, sent.id or "") is None
    assert await lan.channel.ask(phone, "nobody's &?") is None
    assert await lan.channel.ask(user, sent.id or "") is None


async def test_asking_a_gateway_in_trouble_tells_nothing(lan: Lan) -> None:
    """An error, an outage or a missing token is no receipt, and raises nothing."""
    sent = await lan.gets_by_phone()
    assert isinstance(sent, Sent)
    phone = Address(AddressKind.PHONE, f"+{LAN_PHONE}")
    lan.gateway.fail_next(-107)
    assert await lan.channel.ask(phone, sent.id or "") is None
    lan.gateway.status_next(503)
    assert await lan.channel.ask(phone, sent.id or "") is None
    lan.tokens.trouble = NoTokens("none")
    assert await lan.channel.ask(phone, sent.id or "") is None


async def test_a_dead_token_is_replaced_without_anybody_noticing(lan: Lan) -> None:
    """-216, another token, sent."""
    lan.gateway.fail_next(-216)
    assert isinstance(await lan.gets(), Sent)
    assert len(lan.tokens.replaced) == 1


async def test_a_token_that_stays_dead_alarms(lan: Lan) -> None:
    """It hits everybody, so the next channel takes over and the operators hear."""
    lan.gateway.fail_next(-216, times=2)
    assert await lan.gets() == Refused(
        f"-216 access token is invalid: {MESSAGES[-216]}",
        Scope.EVERYBODY,
        "Zalo từ chối mọi tin nhắn: lỗi -216",
    )


async def test_a_gateway_in_trouble_is_tried_later(lan: Lan) -> None:
    """HTTP 503 and a refused connection delivered nothing."""
    lan.gateway.status_next(503)
    assert await lan.gets() == TryLater("HTTP 503")
    await lan.gateway.refuse()
    assert isinstance(await lan.gets(), TryLater)
    await lan.gateway.recover()
    assert isinstance(await lan.gets(), Sent)
    assert len(lan.person.received) == 1


async def test_a_gateway_that_says_nothing_may_have_delivered(lan: Lan) -> None:
    """Lan has the card; nobody may send it again at once."""
    lan.gateway.accept_then_hang(6)
    assert isinstance(await lan.gets(), channels.Unclear)
    assert len(lan.person.received) == 1


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (RefreshFailed(Undelivered("HTTP 503")), TryLater),
        (NoTokens("none"), Refused),
        (FreshTokenRefused("a minute"), Refused),
        (ConsentNeeded(Declined(fault(Host.OAUTH, -14014), "")), Refused),
    ],
)
async def test_without_a_token_nothing_is_raised(
    lan: Lan, trouble: TokenTrouble, expected: type[Outcome]
) -> None:
    """Trouble that passes is waited for; the rest goes to the operators and the next channel."""
    lan.tokens.trouble = trouble
    outcome = await lan.gets()
    assert isinstance(outcome, expected)
    if isinstance(outcome, Refused):
        assert (outcome.scope, outcome.alarm, outcome.why) == (Scope.EVERYBODY, "token", token_alarm(trouble))


def declined(line: Fault, text: str = "said Zalo") -> Outcome:
    """Return what a code becomes."""
    return outcome(Declined(line, text))


ALL_FAULTS = [
    pytest.param(line, id=f"{host.name}{code}")
    for host in (Host.OA, Host.ZBS)
    for code, line in FAULTS[host].items()
    if code
]


@pytest.mark.parametrize("line", ALL_FAULTS)
def test_every_code_becomes_one_outcome(line: Fault) -> None:
    """No error is taken for a delivery or for a doubt, and every alarm is heard."""
    became = declined(line)
    expected = {Remedy.OTHER_CHANNEL: NoSuchRecipient, Remedy.GIVE_UP: Refused, Remedy.RETRY: TryLater}
    kind = Refused if line.alarm else expected[line.remedy]
    assert isinstance(became, kind)
    assert isinstance(became, NoSuchRecipient | Refused | TryLater)
    assert became.why.startswith(f"{line.code} {line.meaning}")
    if isinstance(became, Refused):
        assert became.scope.value == line.scope.value
        assert (became.alarm is not None) is line.alarm


@pytest.mark.parametrize(
    ("host", "code", "expected"),
    [
        (Host.OA, -32, TryLater("-32 app or OA reached its call limit")),
        (
            Host.OA,
            -230,
            NoSuchRecipient("-230 user has not interacted within 7 days", Scope.MESSAGE, unheard=True),
        ),
        (Host.ZBS, -133, NoSuchRecipient("-133 not sent at night, 22:00 to 06:00", Scope.MESSAGE)),
        (Host.ZBS, -139, NoSuchRecipient("-139 user refused this type of message", Scope.RECIPIENT)),
        (
            Host.ZBS,
            -144,
            Refused(
                "-144 OA reached its daily limit: said Zalo",
                Scope.EVERYBODY,
                "Zalo từ chối mọi tin nhắn: lỗi -144",
            ),
        ),
        (
            Host.OA,
            -210,
            Refused(
                "-210 a parameter exceeds the allowed limit: said Zalo",
                Scope.MESSAGE,
                "Zalo từ chối một tin nhắn: lỗi -210",
            ),
        ),
    ],
)
def test_what_some_codes_become(host: Host, code: int, expected: Outcome) -> None:
    """One of each sort, in full."""
    assert declined(fault(host, code)) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Accepted("m1", NOW), Sent("m1")),
        (Undelivered("HTTP 502"), TryLater("HTTP 502")),
        (Unclear("TimeoutError"), channels.Unclear("TimeoutError")),
    ],
)
def test_answers_without_a_code(answer: Accepted | Failure, expected: Outcome) -> None:
    """Whether it was certainly not taken decides."""
    assert outcome(answer) == expected


def test_zalos_words_are_kept_without_phones_and_ids() -> None:
    """Texts help to understand an overloaded code; numbers of people stay out."""
    became = declined(fault(Host.OA, -201), "user_id 246845883529197922 / 0912345678 is invalid!")
    assert isinstance(became, Refused)
    assert became.why.endswith(": user_id ••• / ••• is invalid!")


def test_templates_are_read_from_the_setting() -> None:
    """An id alone, as text or number, or an id that says it has response buttons."""
    assert templates({"order_new": "31239", "order_changed": 5}) == {
        "order_new": zalo_channel.Template("31239"),
        "order_changed": zalo_channel.Template("5"),
    }
    assert templates({"order_new": {"id": "7", "quick_reply": True}}) == {
        "order_new": zalo_channel.Template("7", quick_reply=True)
    }


def test_every_faulty_template_is_named() -> None:
    """All faults at once, by their notice."""
    with pytest.raises(Misconfigured) as caught:
        templates(
            {"a": "", "b": None, "c": {"quick_reply": True}, "d": [1], "e": "1", "f": {"id": {"id": 1}}}
        )
    assert [line.split()[1] for line in caught.value.faults] == ["a", "b", "c", "d", "f"]
