"""A toy in the product's place: enough to look at the wall and to test it, and nothing more.

It speaks to the fakes over the wire, as the product does: orders by API, cards to `/v3.0/oa/message/cs` and
by the Bot API, SMS by eSMS, mails by SMTP, signed webhooks to the platform. It keeps none of the product's
promises.
"""

import json
import random
import secrets
import uuid
from contextlib import AsyncExitStack
from datetime import timedelta
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import aiosmtplib
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from sandbox.feed import Feed
from sandbox.listener import Listener
from sandbox.mailbox import Mailbox
from sandbox.menu import sample_order
from sandbox.moments import real_time
from sandbox.platform import FakePlatform
from sandbox.sms import FakeEsms
from sandbox.telegram import FakeTelegram
from sandbox.wall import words
from sandbox.wall.wall import ClockControl, Wall
from sandbox.zalo import FakeZalo

PARTNER: Final = "com-nha-lan"
COOK: Final = "+84912000111"
_SECRET: Final = "whsec_" + "c2FuZGJveC10b3ktd2ViaG9vay1zZWNyZXQ="
_STEPS: Final = {"confirm": "confirmed", "cancel": "cancelled", "complete": "completed"}
_DONE: Final = {
    "confirmed": "Đã xác nhận",
    "cancelled": "Đã huỷ",
    "completed": "Đã hoàn thành",
}


class Toy:
    """Fakes, toy product and wall, wired together."""

    def __init__(self, *, clock: ClockControl, port: int = 0) -> None:
        self.clock = clock
        self.feed = Feed(clock=clock.now)
        self.zalo = FakeZalo(clock=clock.now, feed=self.feed, oa_name="Chốt Đơn")
        self.telegram = FakeTelegram(clock=clock.now, feed=self.feed, limited=False, again_after=None)
        self.sms = FakeEsms(clock=clock.now, feed=self.feed)
        self.mailbox = Mailbox(clock=clock.now, feed=self.feed)
        self.platform = FakePlatform("Cơm Ngon", clock=clock.now, feed=self.feed)
        self.wall = Wall(
            feed=self.feed,
            zalo=self.zalo,
            telegram=self.telegram,
            sms=self.sms,
            mailbox=self.mailbox,
            platform=self.platform,
            clock=clock,
            place_order=self.place,
            port=port,
        )
        self.orders: dict[str, dict[str, Any]] = {}
        self._chance = random.Random(7)  # noqa: S311 - which dishes a customer wants is no secret
        self._listener = Listener(self._application())
        self._open = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None
        self._token = ""
        self._shown: dict[str, list[tuple[int, int]]] = {}

    async def __aenter__(self) -> Self:
        for part in (self.zalo, self.telegram, self.sms, self.mailbox, self.platform, self.wall):
            await self._open.enter_async_context(part)
        await self._listener.start()
        self._session = await self._open.enter_async_context(aiohttp.ClientSession())
        self._token = self.zalo.issue_tokens().access_token
        self.zalo.webhook_url = f"{self._listener.url}/webhooks/zalo"
        self.sms.webhook_base = self._listener.url
        self.telegram.webhook_url = f"{self._listener.url}/webhooks/telegram"
        tam = self.telegram.person("Tâm")
        await tam.starts()
        await self.telegram.group("Bếp Lan", tam, self.telegram.person("Chú Tư")).adds_bot(tam)
        self.sms.phone(COOK, "Bình")
        self.platform.connect(api_url=self._listener.url, api_key="toy", webhook_secret=_SECRET)
        self.zalo.person(
            "1111111111111111111", "Lan", phone="84909123456"
        ).last_interaction = self.clock.now()
        self.zalo.person(
            "2222222222222222222", "Minh", phone="84912345678"
        ).last_interaction = self.clock.now()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._listener.stop()
        await self._open.aclose()

    async def place(self, deliver_in: timedelta) -> None:
        """Let the platform place a sample order."""
        order = sample_order(
            partner=PARTNER, now=self.clock.now(), chance=self._chance, deliver_in=deliver_in
        )
        await self.platform.place(order)

    async def fill(self) -> None:
        """Place an order, confirm it, and place one that waits."""
        lan = next(iter(self.zalo.people.values()))
        await lan.say("Chào Chốt Đơn")
        await self.place(timedelta(hours=3))
        await lan.tap("Xác nhận đơn hàng")
        await self.place(timedelta(days=1))

    async def go_away(self) -> None:
        """Stop answering, as a product that has crashed."""
        await self._listener.refuse()

    # The toy's HTTP side.

    def _application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/webhooks/zalo", self._zalo_event)
        app.router.add_post("/webhooks/telegram", self._telegram_event)
        app.router.add_get("/webhooks/sms/esms/inbound/{secret}", self._sms_event)
        app.router.add_post("/api/v1/orders", self._place)
        app.router.add_patch("/api/v1/orders/{id}", self._change)
        app.router.add_post("/api/v1/orders/{id}/{deed}", self._act)
        app.router.add_get("/o/{id}", self._page)
        return app

    async def _zalo_event(self, request: web.Request) -> web.Response:
        event = await request.json()
        text = str(event.get("message", {}).get("text", ""))
        deed, _, code = text.removeprefix("#").partition(":")
        order = next((one for one in self.orders.values() if one["code"] == code), None)
        if order is None or deed not in _STEPS:
            await self._text(
                event["sender"]["id"], f"Bạn nhắn “{text}”. Soạn DS để xem đơn, TG để được giúp."
            )
            return web.Response()
        who = self.zalo.people[event["sender"]["id"]].name
        await self._move(order, _STEPS[deed], f"{who} qua Zalo")
        return web.Response()

    async def _telegram_event(self, request: web.Request) -> web.Response:
        update = await request.json()
        if query := update.get("callback_query"):
            await self._pressed(query)
        elif text := update.get("message", {}).get("text"):
            chat = update["message"]["chat"]["id"]
            await self._bot("sendMessage", chat_id=chat, text=f"Chào bạn! Bạn nhắn “{text}”.")
        return web.Response()

    async def _pressed(self, query: dict[str, Any]) -> None:
        deed, _, code = query["data"].partition(":")
        order = next((one for one in self.orders.values() if one["code"] == code), None)
        answer = {"callback_query_id": query["id"]}
        if query["from"]["first_name"] == "Chú Tư" or order is None:
            words = "Bạn chưa liên kết với quán này nên chưa bấm được."
            await self._bot("answerCallbackQuery", **answer, text=words, show_alert=True)
            return
        await self._move(order, _STEPS[deed], f"{query['from']['first_name']} qua Telegram")
        await self._bot("answerCallbackQuery", **answer, text=f"Xong: {_DONE[order['status']]}")

    async def _sms_event(self, request: web.Request) -> web.Response:
        verb, code, *_ = [*request.query["content"].upper().split(), ""]
        order = next((one for one in self.orders.values() if one["code"] == code), None)
        if verb != "XN" or order is None:
            return _client_response("Soan XN va ma don de nhan don, vd XN 48274")
        await self._move(order, "confirmed", "Bình qua SMS")
        return _client_response(f"Don {code} da xac nhan. Cam on bep!")

    async def _place(self, request: web.Request) -> web.Response:
        body = await request.json()
        order = {
            **body,
            "id": str(uuid.uuid4()),
            "code": f"{self._chance.randrange(10**5):05}",
            "status": "pending",
            "version": 1,
            "reason": None,
            "review": None,
        }
        self.orders[order["id"]] = order
        await self._tell_everybody(order, "order.placed", "Chờ xác nhận")
        return web.json_response(order, status=201)

    async def _change(self, request: web.Request) -> web.Response:
        order = self.orders[request.match_info["id"]]
        order.update(await request.json(), status="pending", version=order["version"] + 1)
        await self._tell_everybody(order, "order.changed", "Đơn đổi, chờ xác nhận lại")
        return web.json_response(order)

    async def _act(self, request: web.Request) -> web.Response:
        order = self.orders[request.match_info["id"]]
        body = await request.json()
        if request.match_info["deed"] == "review":
            order.update(review=body, version=order["version"] + 1)
            await self._tell_everybody(order, "order.reviewed", "Khách đánh giá")
            return web.json_response(order, status=201)
        if order["status"] in ("cancelled", "completed"):
            return web.json_response({"detail": "Đơn đã xong, không huỷ được nữa"}, status=409)
        order["reason"] = {"code": None, "text": body.get("reason", "")}
        await self._move(order, "cancelled", self.platform.name)
        return web.json_response(order)

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=json.dumps(self.orders.get(request.match_info["id"]), ensure_ascii=False))

    async def _move(self, order: dict[str, Any], status: str, who: str) -> None:
        order.update(status=status, version=order["version"] + 1)
        await self._tell_everybody(order, f"order.{status}", f"{_DONE[status]} bởi {who}")

    # What the toy sends.

    async def _tell_everybody(self, order: dict[str, Any], event: str, headline: str) -> None:
        await self._webhook(event, order)
        await self._mail(order, headline)
        for person in list(self.zalo.people):
            await self._card(person, order, headline)
        await self._telegram_cards(order, headline)
        if order["status"] == "pending":
            await self._text_message(order)

    async def _card(self, user_id: str, order: dict[str, Any], headline: str) -> None:
        dishes = "\n".join(f"{item['quantity']} × {item['name']}" for item in order["items"])
        text = (
            f"{headline} · {order['code']}\n{words.when(order['deliver_at'])}\n"
            f"{words.money(order['total'])}\n\n{dishes}\n\n{order['address']}"
        )
        deeds = {"pending": ("confirm", "cancel"), "confirmed": ("complete",)}.get(order["status"], ())
        titles = {"confirm": "Xác nhận đơn hàng", "cancel": "Huỷ đơn hàng", "complete": "Hoàn thành"}
        buttons: list[dict[str, Any]] = [
            {"title": titles[deed], "type": "oa.query.hide", "payload": f"#{deed}:{order['code']}"}
            for deed in deeds
        ]
        link = {
            "title": "Xem chi tiết đơn hàng",
            "type": "oa.open.url",
            "payload": {"url": self._link(order)},
        }
        attachment = {"type": "template", "payload": {"buttons": [*buttons, link]}}
        await self._send(user_id, {"text": text, "attachment": attachment})

    async def _telegram_cards(self, order: dict[str, Any], headline: str) -> None:
        text = (
            f"<b>{headline} · {order['code']}</b>\n{words.when(order['deliver_at'])}\n{words.portions(order)}"
        )
        deeds = {"pending": ("confirm", "cancel"), "confirmed": ("complete",)}.get(order["status"], ())
        labels = {"confirm": "✅ Xác nhận đơn hàng", "cancel": "❌ Huỷ đơn hàng", "complete": "✅ Hoàn thành"}
        rows = [[{"text": labels[deed], "callback_data": f"{deed}:{order['code']}"}] for deed in deeds]
        rows.append([{"text": "Xem chi tiết đơn hàng", "url": self._link(order)}])
        card = {"text": text, "parse_mode": "HTML", "reply_markup": {"inline_keyboard": rows}}
        shown = self._shown.setdefault(order["id"], [])
        for chat, message in shown:
            await self._bot("editMessageText", chat_id=chat, message_id=message, **card)
        if shown:
            return
        for one in self.telegram.chats:
            if not one.shut:
                sent = await self._bot("sendMessage", chat_id=one.id, **card)
                shown.append((one.id, sent["result"]["message_id"]))

    async def _bot(self, method: str, **fields: object) -> dict[str, Any]:
        address = f"{self.telegram.url}/bot{self.telegram.token}/{method}"
        async with self._client.post(address, json=fields) as answer:
            return dict(await answer.json())

    async def _text(self, user_id: str, text: str) -> None:
        await self._send(user_id, {"text": text})

    async def _send(self, user_id: str, message: dict[str, Any]) -> None:
        body = {"recipient": {"user_id": user_id}, "message": message}
        headers = {"access_token": self._token}
        async with self._client.post(f"{self.zalo.url}/v3.0/oa/message/cs", json=body, headers=headers):
            pass

    async def _text_message(self, order: dict[str, Any]) -> None:
        portions = sum(item["quantity"] for item in order["items"])
        body = {
            "ApiKey": self.sms.api_key,
            "SecretKey": self.sms.secret_key,
            "Phone": COOK.replace("+84", "0"),
            "Content": f"Don {order['code']} cho xac nhan: {portions} suat. Soan XN {order['code']} gui 8041",
            "Brandname": self.sms.brandname,
            "SmsType": "2",
        }
        address = f"{self.sms.url}{self.sms.sends}_V4_post_json/"
        async with self._client.post(address, json=body):
            pass

    async def _mail(self, order: dict[str, Any], headline: str) -> None:
        mail = EmailMessage()
        mail["From"] = "Chốt Đơn <don@chotdon.example>"
        mail["To"] = "lan@comnhalan.example"
        mail["Subject"] = f"{headline} · đơn {order['code']}"
        mail["Message-ID"] = f"<{secrets.token_hex(8)}@chotdon.example>"
        mail.set_content(f"{headline}\n{words.when(order['deliver_at'])}\n{self._link(order)}")
        mail.add_alternative(
            f"<html lang=vi><head><title>{headline}</title></head>"
            f"<body style='font-family:sans-serif;padding:16px'><h2>{headline}</h2>"
            f"<p><b>{words.when(order['deliver_at'])}</b><br>{words.money(order['total'])}</p>"
            f"<p><a style='color:#b3261e' href='{self._link(order)}'>Xem chi tiết đơn hàng</a></p>"
            f"</body></html>",
            subtype="html",
        )
        mail.add_attachment(b"BEGIN:VCALENDAR", maintype="text", subtype="calendar", filename="giao-hang.ics")
        await aiosmtplib.send(mail, hostname=self.mailbox.host, port=self.mailbox.port, start_tls=False)

    async def _webhook(self, event: str, order: dict[str, Any]) -> None:
        now = real_time()
        body = json.dumps({"type": event, "timestamp": now.isoformat(), "data": order}, ensure_ascii=False)
        key = f"msg_{secrets.token_hex(8)}"
        headers = {
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(_SECRET).sign(key, now, body),
        }
        async with self._client.post(self.platform.webhook_url, data=body.encode(), headers=headers):
            pass

    def _link(self, order: dict[str, Any]) -> str:
        return f"{self._listener.url}/o/{order['id']}"

    @property
    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the toy is not running")
        return self._session


def _client_response(text: str) -> web.Response:
    body = f"<ClientResponse><Message>{text}</Message></ClientResponse>"
    return web.Response(text=body, content_type="text/xml")
