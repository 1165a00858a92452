"""From a cheap phone over a direct bind to a committed order, on a real database."""

from collections.abc import AsyncIterator

import pytest

from bot.sms.smpp import SmppGateway
from core.actors import Role
from core.channels import Inbound
from core.notices.kinds import NoticeKind
from core.orders.status import Status
from tests.bot.chatting import Chats, open_chats
from tests.bot.sms.smsc import AGAIN, LAN, OK, RealSmsc, gateway_at, listening, soon
from tests.core.kitchens import add_person


@pytest.fixture
async def chats(database_url: str) -> AsyncIterator[Chats]:
    """Lan's kitchen; her cook Minh has a phone and nothing else."""
    async with open_chats(database_url) as chats:
        await add_person(chats.database, "Minh", Role.KITCHEN, phone=LAN)
        yield chats


@pytest.fixture
async def smsc() -> AsyncIterator[RealSmsc]:
    """An SMSC on this machine."""
    async with RealSmsc() as smsc:
        yield smsc


@pytest.fixture
async def gateway(smsc: RealSmsc) -> AsyncIterator[SmppGateway]:
    """A gateway that would bind there."""
    gateway = gateway_at(smsc.port)
    yield gateway
    await gateway.close()


async def says(smsc: RealSmsc, *texts: str) -> list[int]:
    """Have Minh write; return how each was answered to the SMSC."""
    esme = await smsc.session()
    return [
        (
            await soon(
                esme.deliver_sm("8041", text.encode(), source_addr=LAN.removeprefix("+"), source_addr_ton=1)
            )
        ).command_status
        for text in texts
    ]


async def test_a_cook_confirms_by_sms(chats: Chats, smsc: RealSmsc, gateway: SmppGateway) -> None:
    """The SMSC is answered when the order is confirmed, and Minh is owed an answer."""
    order = await chats.places()
    async with listening(gateway, chats.conversation.handle):
        assert await says(smsc, f"xn {order.code}") == [OK]

    assert (await chats.order(order.id)).status is Status.CONFIRMED
    answers = [card for kind, card in await chats.delivered(LAN) if kind is NoticeKind.ANSWER]
    assert len(answers) == 1
    assert order.code in answers[0].short


async def test_a_second_try_of_the_smsc_confirms_nothing_twice(
    chats: Chats, smsc: RealSmsc, gateway: SmppGateway
) -> None:
    """The order was confirmed, but the process could not say so any more."""
    order = await chats.places()
    lost: list[Inbound] = []

    async def hear(inbound: Inbound) -> None:
        await chats.conversation.handle(inbound)
        if not lost:
            lost.append(inbound)
            raise ConnectionResetError

    async with listening(gateway, hear):
        assert await says(smsc, f"xn {order.code}", f"xn {order.code}") == [AGAIN, OK]

    assert (await chats.order(order.id)).version == 2
    answers = [card for kind, card in await chats.delivered(LAN) if kind is NoticeKind.ANSWER]
    assert len(answers) == 1


async def test_a_stranger_is_answered_by_nobody(chats: Chats, smsc: RealSmsc, gateway: SmppGateway) -> None:
    """But the SMSC is: it must not send it again."""
    order = await chats.places()
    async with listening(gateway, chats.conversation.handle):
        esme = await smsc.session()
        answer = await soon(
            esme.deliver_sm("8041", f"xn {order.code}".encode(), source_addr="84907654321", source_addr_ton=1)
        )

    assert answer.command_status == OK
    assert (await chats.order(order.id)).status is Status.PENDING
    assert await chats.delivered("+84907654321") == []
