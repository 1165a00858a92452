"""The product as the SMS gateways see it: it sends in each vendor's form, and hears what they call back."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from sandbox.listener import Listener
from sandbox.sms import FakeEsms, FakeSpeedSms, FakeTwilio, SmsFake


@dataclass(frozen=True, slots=True)
class Heard:
    """One webhook as the product got it; `url` is what a signature is made over."""

    method: str
    path: str
    url: str
    query: dict[str, str]
    raw: bytes
    headers: Mapping[str, str]

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.raw.decode(), keep_blank_values=True))

    @property
    def json(self) -> dict[str, Any]:
        """The body as JSON."""
        return dict(json.loads(self.raw))


@dataclass(slots=True)
class Ear:
    """Stands where the product listens: keeps every webhook and answers `status` and `body`."""

    heard: list[Heard] = field(default_factory=list)
    status: int = 200
    body: str = ""
    listener: Listener = field(init=False)
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._hear)
        self.listener = Listener(app)
        await self.listener.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.listener.stop()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at its end."""
        return self.listener.url

    async def has_heard(self, count: int) -> None:
        """Wait until so many webhooks have come."""
        async with asyncio.timeout(5):
            while len(self.heard) < count:
                self._came.clear()
                await self._came.wait()

    async def _hear(self, request: web.Request) -> web.Response:
        raw = await request.read()
        query = dict(request.query)
        self.heard.append(Heard(request.method, request.path, str(request.url), query, raw, request.headers))
        self._came.set()
        return web.Response(status=self.status, text=self.body)


@dataclass(frozen=True, slots=True)
class Said:
    """What a gateway answered."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends as the product would; `fields` replace the usual ones, None leaves one out."""

    session: aiohttp.ClientSession
    fake: SmsFake
    hears_at: str

    async def send(self, number: str = "+84909123456", text: str = "Don 48273", **fields: Any) -> Said:
        """Hand one text over."""
        match self.fake:
            case FakeEsms():
                return await self._esms(self.fake, number, text, fields)
            case FakeSpeedSms():
                return await self._speedsms(self.fake, number, text, fields)
            case FakeTwilio():
                return await self._twilio(self.fake, number, text, fields)
        raise TypeError(self.fake)

    async def ask(self, said: Said) -> dict[str, Any]:
        """Ask how far the text of this answer came."""
        match self.fake:
            case FakeEsms():
                keys = {"ApiKey": self.fake.api_key, "SecretKey": self.fake.secret_key}
                query = {**keys, "RefId": said.body["SMSID"]}
                return (await self.get("/MainService.svc/json/GetSendStatus", params=query)).body
            case FakeSpeedSms():
                headers = basic(self.fake.token, "x")
                path = f"/index.php/sms/status/{said.body['data']['tranId']}"
                return (await self.get(path, headers=headers)).body
            case FakeTwilio():
                headers = basic(self.fake.account_sid, self.fake.auth_token)
                return (await self.get(said.body["uri"], headers=headers)).body
        raise TypeError(self.fake)

    async def get(self, path: str, **rest: Any) -> Said:
        """Ask for a page of the API."""
        async with self.session.get(self.fake.url + path, **rest) as answer:
            return await _said(answer)

    async def post(self, path: str, **rest: Any) -> Said:
        """Post to a page of the API."""
        async with self.session.post(self.fake.url + path, **rest) as answer:
            return await _said(answer)

    async def _esms(self, fake: FakeEsms, to: str, text: str, fields: dict[str, Any]) -> Said:
        body = {
            "ApiKey": fake.api_key,
            "SecretKey": fake.secret_key,
            "Phone": to.replace("+84", "0"),
            "Content": text,
            "Brandname": fake.brandname,
            "SmsType": "2",
            "CallbackUrl": f"{self.hears_at}/status",
        } | fields
        return await self.post(fake.sends + "_V4_post_json/", json=_without_none(body))

    async def _speedsms(self, fake: FakeSpeedSms, to: str, text: str, fields: Mapping[str, Any]) -> Said:
        headers = basic(fields.get("token", fake.token), "x")
        body = {"to": [to.removeprefix("+")], "content": text, "sms_type": 8, "sender": fake.sender} | {
            name: value for name, value in fields.items() if name != "token"
        }
        return await self.post(fake.sends, json=_without_none(body), headers=headers)

    async def _twilio(self, fake: FakeTwilio, to: str, text: str, fields: Mapping[str, Any]) -> Said:
        headers = basic(fake.account_sid, fields.get("token", fake.auth_token))
        form = {"To": to, "From": fake.sender, "Body": text, "StatusCallback": f"{self.hears_at}/status"} | {
            name: value for name, value in fields.items() if name != "token"
        }
        path = f"/2010-04-01/Accounts/{fake.account_sid}/Messages.json"
        return await self.post(path, data=_without_none(form), headers=headers)


def basic(login: str, password: str) -> dict[str, str]:
    """Return the header of Basic authentication."""
    return {"Authorization": aiohttp.encode_basic_auth(login, password)}


def accepted(said: Said) -> bool:
    """Whether the gateway took the text."""
    return (
        said.body.get("CodeResult") == "100"
        or (said.body.get("status"), said.body.get("code")) == ("success", "00")
        or (said.status == 201 and said.body.get("status") == "queued")
    )


def _without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


async def _said(answer: aiohttp.ClientResponse) -> Said:
    text = await answer.text()
    body = json.loads(text) if answer.content_type == "application/json" else {}
    return Said(answer.status, answer.headers, body)
