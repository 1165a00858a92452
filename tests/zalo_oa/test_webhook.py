"""From a thumb on Lan's phone to a verified inbound, as the sandbox's Zalo signs and posts it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.channels import (
    Address,
    AddressKind,
    Button,
    Card,
    Followed,
    Inbound,
    Left,
    Pressed,
    Said,
    SharedPhone,
    Unreadable,
)
from sandbox.zalo.fake import FakeZalo
from sandbox.zalo.messages import read_message
from sandbox.zalo.person import Person
from zalo_oa.inbound import Ignored, is_probe, parse
from zalo_oa.render import message
from zalo_oa.signature import HEADER, verify

LAN = Address(AddressKind.ZALO_USER, "246845883529197922")


@dataclass(slots=True)
class Door:
    """Where webhooks arrive: verifies, reads, remembers."""

    gateway: FakeZalo
    came_in: list[Inbound | Ignored | str] = field(default_factory=list)

    async def opens(self, request: web.Request) -> web.Response:
        """Take one call."""
        raw, header = await request.read(), request.headers.get(HEADER)
        genuine = verify(raw, header, app_id=self.gateway.app_id, secret=self.gateway.oa_secret)
        if genuine:
            self.came_in.append(parse(raw, app_id=self.gateway.app_id, oa_id=self.gateway.oa_id))
        elif is_probe(raw):
            self.came_in.append("probe")
        else:
            return web.Response(status=401)
        return web.Response()


@pytest.fixture
async def gateway() -> AsyncIterator[FakeZalo]:
    """Zalo."""
    async with FakeZalo() as gateway:
        yield gateway


@pytest.fixture
async def door(gateway: FakeZalo) -> AsyncIterator[Door]:
    """A door whose address Zalo knows."""
    door = Door(gateway)
    app = web.Application()
    app.router.add_post("/webhooks/zalo", door.opens)
    async with TestServer(app, host="127.0.0.1") as server:
        gateway.webhook_url = str(server.make_url("/webhooks/zalo"))
        yield door


@pytest.fixture
def lan(gateway: FakeZalo) -> Person:
    """Lan, with her phone."""
    return gateway.person(LAN.value, "Lan", phone="84912345678")


async def test_a_tap_carries_the_buttons_payload(door: Door, lan: Person) -> None:
    """The card's payload comes back as it was put in, by the person who tapped."""
    card = Card("order_new", "vi", "Đơn 48273", "", buttons=(Button("Xác nhận", payload="A-_1" * 15),))
    lan.receive(read_message(message(card)), at=door.gateway.clock())
    delivery = await lan.tap("Xác nhận")
    [tap] = door.came_in
    assert isinstance(tap, Inbound)
    assert (tap.sender, tap.body) == (LAN, Pressed("A-_1" * 15))

    await door.gateway.redeliver(delivery)
    assert door.came_in == [tap, tap]


async def test_everything_lan_does_is_understood(door: Door, lan: Person) -> None:
    """Follow, write, send a place, share the phone, leave."""
    await lan.follow()
    await lan.say("xn 48273 nhé 👌")
    await lan.attach("location", {"coordinates": {"latitude": "10.76", "longitude": "106.66"}})
    await lan.submit_info(name="Lan", phone="84912345678")
    await lan.unfollow()
    bodies = [inbound.body for inbound in door.came_in if isinstance(inbound, Inbound)]
    assert bodies == [
        Followed(),
        Said("xn 48273 nhé 👌"),
        Unreadable("location"),
        SharedPhone("+84912345678", "Lan"),
        Left(),
    ]


async def test_the_probe_is_let_in_and_a_forged_body_is_not(door: Door, lan: Person) -> None:
    """An empty unsigned object is harmless; anything else needs the signature."""
    assert (await door.gateway.probe()).status == 200
    said = await lan.say("XN 48273")
    forged = said.raw.replace(b"48273", b"99999")
    assert (await door.gateway.postman.post_raw(forged, said.headers)).status == 401
    assert len(door.came_in) == 2
