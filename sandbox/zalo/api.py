"""The endpoints of the open API and of the business API."""

import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from sandbox.moments import milliseconds
from sandbox.zalo.errors import Refused, invalid
from sandbox.zalo.messages import mapping, read_message, string
from sandbox.zalo.office import Office
from sandbox.zalo.person import Bubble, Person
from sandbox.zalo.templates import read_phone, read_sending_mode, read_tracking_id

# docs/facts.md#zalo-rate (OA page on limits: 4000 requests a minute and app; ZBS does not count).
PER_MINUTE: Final = 4000

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """Answers for one account; the rate limit uses real time, None lifts it."""

    def __init__(self, office: Office, *, per_minute: int | None) -> None:
        self._office = office
        self._per_minute = per_minute
        self._minute = (0, 0)

    def add_routes(self, app: web.Application) -> None:
        """Add every endpoint."""
        add = app.router.add_route
        add("POST", "/v3.0/oa/message/cs", self._counted(self._send_cs))
        add("POST", "/v3.0/oa/message/template", self._allowed(self._send_by_user_id))
        add("POST", "/message/template", self._allowed(self._send_by_phone, refused_as=-124))
        add("GET", "/message/status", self._allowed(self._status, refused_as=-124))
        add("GET", "/v2.0/oa/getoa", self._counted(self._describe_oa))
        add("POST", "/v2.0/oa/message", self._counted(self._old_message))
        add("POST", "/v3.0/oa/message/transaction", self._counted(_shut_down))
        add("POST", "/v3.0/oa/message/promotion", self._counted(_shut_down))
        add("POST", "/v3.0/oa/quota/message", self._counted(self._quota))
        add("GET", "/v3.0/oa/user/detail", self._counted(self._describe_user))

    def _counted(self, handler: Answer) -> Answer:
        """Return the handler behind the rate limit of the OA host and the token check."""

        async def answer(request: web.Request) -> web.StreamResponse:
            left = self._count()
            response = await self._allowed(handler)(request)
            if self._per_minute is not None:
                response.headers["X-RateLimit-Limit"] = str(self._per_minute)
                response.headers["X-RateLimit-Remain"] = str(left)
            return response

        return answer

    def _allowed(self, handler: Answer, *, refused_as: int | None = None) -> Answer:
        """Return the handler behind the token check; the ZBS host has one code of its own for a bad token."""

        async def answer(request: web.Request) -> web.StreamResponse:
            token = request.headers.get("access_token", "")
            try:
                self._office.tokens.check(token)
            except Refused as refused:
                raise (Refused(refused_as) if refused_as else refused) from None
            self._check_proof(request, token, -1241 if refused_as else -242)
            return await handler(request)

        return answer

    def _count(self) -> int:
        if self._per_minute is None:
            return 0
        minute = int(time.monotonic() // 60)
        spent = self._minute[1] + 1 if self._minute[0] == minute else 1
        self._minute = (minute, spent)
        if spent > self._per_minute:
            raise Refused(-32)
        return self._per_minute - spent

    def _check_proof(self, request: web.Request, token: str, code: int) -> None:
        if not self._office.require_proof:
            return
        expected = hmac.new(self._office.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(request.headers.get("appsecret_proof", ""), expected):
            raise Refused(code)

    async def _send_cs(self, request: web.Request) -> web.Response:
        body = await _json(request)
        person = self._recipient(mapping(body.get("recipient"), "recipient"))
        content = read_message(body.get("message"))
        billed = self._office.window(person)
        bubble = self._office.put(person, content, billed=billed)
        return _success(
            {
                "message_id": bubble.message_id,
                "user_id": person.user_id,
                "sent_time": milliseconds(bubble.at),
            }
        )

    def _recipient(self, recipient: dict[str, object]) -> Person:
        if "message_id" in recipient:
            return self._office.author(string(recipient["message_id"], "message_id"))
        return self._office.known(string(recipient.get("user_id"), "user_id"))

    async def _send_by_user_id(self, request: web.Request) -> web.Response:
        body = await _json(request)
        template = self._office.approved(body.get("template_id"))
        if template.responses:
            raise Refused(-249)
        person = self._office.known(string(body.get("user_id"), "user_id"))
        content = template.filled(body.get("template_data"))
        self._office.reachable(person)
        bubble = self._office.put(person, content, billed=True)
        return _success(
            {
                "message_id": bubble.message_id,
                "user_id": person.user_id,
                "sent_time": milliseconds(bubble.at),
                "quota": {"quota_type": "purchase_quota", "owner_type": "OA", "owner_id": self._office.oa_id},
            }
        )

    async def _send_by_phone(self, request: web.Request) -> web.Response:
        body = await _json(request)
        phone = read_phone(body.get("phone"))
        tracking_id = read_tracking_id(body.get("tracking_id"))
        mode = read_sending_mode(body.get("sending_mode"))
        content = self._office.approved(body.get("template_id")).filled(body.get("template_data"))
        self._check_development(body, phone)
        person = self._office.at_phone(phone)
        self._office.reachable(person)
        left = self._office.spend_daily_quota()
        bubble = self._office.put(person, content, tracking_id=tracking_id, billed=True)
        return _success(
            {
                "msg_id": bubble.message_id,
                "sent_time": milliseconds(bubble.at),
                "sending_mode": mode,
                "quota": {"dailyQuota": str(self._office.daily_quota), "remainingQuota": str(left)},
            }
        )

    def _check_development(self, body: dict[str, object], phone: str) -> None:
        if body.get("mode") == "development" and phone not in self._office.admins:
            raise Refused(-127)

    async def _status(self, request: web.Request) -> web.Response:
        message_id = request.query.get("message_id", "")
        for person in self._office.people.values():
            for bubble in person.bubbles:
                if bubble.message_id == message_id:
                    return _success(_delivery_status(person, bubble))
        return _success({"status": -1, "message": "The message does not exist"})

    async def _describe_oa(self, request: web.Request) -> web.Response:
        followers = sum(person.follows for person in self._office.people.values())
        return _success(
            {
                "oa_id": self._office.oa_id,
                "name": self._office.oa_name,
                "description": "",
                "is_verified": True,
                "num_follower": followers,
                "avatar": "",
                "cover": "",
            }
        )

    async def _old_message(self, request: web.Request) -> web.Response:
        """Take a reaction, the one thing the v2 endpoint still does."""
        body = await _json(request)
        if "sender_action" not in body:
            raise Refused(-240)
        person = self._recipient(mapping(body.get("recipient"), "recipient"))
        action = mapping(body["sender_action"], "sender_action")
        icon = string(action.get("react_icon"), "react_icon")
        if not person.react(string(action.get("react_message_id"), "react_message_id"), icon):
            raise invalid("react_message_id")
        self._office.feed.report("zalo.out", f"Chốt Đơn thả {icon} cho {person.name}", ref=person.user_id)
        return _success({"user_id": person.user_id})

    async def _quota(self, request: web.Request) -> web.Response:
        body = await _json(request)
        person = self._office.known(string(body.get("user_id"), "user_id"))
        last = person.last_interaction
        return _success(
            {
                "last_interaction": milliseconds(last) if last else "",
                "cs_reply": {"remain": 8, "total": 8},
                "promotion": {
                    "daily_remain": 0,
                    "daily_total": 1,
                    "monthly_remain": 4,
                    "monthly_total": 6,
                },
            }
        )

    async def _describe_user(self, request: web.Request) -> web.Response:
        try:
            asked = mapping(json.loads(request.query.get("data", "")), "data")
        except ValueError:
            raise invalid("data") from None
        person = self._office.known(string(asked.get("user_id"), "user_id"))
        last = person.last_interaction
        return _success(
            {
                "user_id": person.user_id,
                "display_name": person.name,
                "user_alias": person.name,
                "is_sensitive": False,
                "user_last_interaction_date": last.strftime("%d/%m/%Y") if last else "",
                "user_is_follower": person.follows,
                "avatar": "",
                "avatars": {"120": "", "240": ""},
                "tags_and_notes_info": {"notes": [], "tag_names": []},
                "shared_info": dict(person.shared_info),
            }
        )


async def _json(request: web.Request) -> dict[str, object]:
    try:
        return mapping(json.loads(await request.read()), "body")
    except ValueError:
        raise invalid("body") from None


def _success(data: dict[str, object]) -> web.Response:
    return web.json_response({"data": data, "error": 0, "message": "Success"})


async def _shut_down(request: web.Request) -> web.StreamResponse:
    raise Refused(-240)


def _delivery_status(person: Person, bubble: Bubble) -> dict[str, object]:
    if person.offline:
        return {"status": 0, "message": "The message was not delivered yet"}
    return {
        "delivery_time": milliseconds(bubble.at),
        "message": "The message was delivered to the user's phone",
        "status": 1,
    }
