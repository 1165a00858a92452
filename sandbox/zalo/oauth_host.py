"""The OAuth host: the consent page and the token endpoint."""

from collections.abc import Callable

from aiohttp import web
from yarl import URL

from sandbox.feed import Feed, Level
from sandbox.zalo.tokens import INVALID_APP, INVALID_REDIRECT, OAuthRefused, Pair, Tokens


class OAuthHost:
    """Grants tokens for one app; an empty `redirect_uri` lets any address be asked for."""

    def __init__(
        self,
        tokens: Tokens,
        *,
        app_id: str,
        oa_id: str,
        redirect_uri: str,
        feed: Feed,
        on_grant: Callable[[], None],
    ) -> None:
        self._tokens = tokens
        self._app_id = app_id
        self._oa_id = oa_id
        self._redirect_uri = redirect_uri
        self._feed = feed
        self._on_grant = on_grant

    def add_routes(self, app: web.Application) -> None:
        """Add every endpoint."""
        app.router.add_get("/v4/oa/permission", self._consent)
        app.router.add_post("/v4/oa/access_token", self._access_token)

    async def _consent(self, request: web.Request) -> web.Response:
        """Say yes at once, as an admin of the Official Account, and go back with the code."""
        query = request.query
        try:
            self._check_consent(query.get("app_id", ""), query.get("redirect_uri", ""))
        except OAuthRefused as refused:
            return web.json_response(refused.body())
        code = self._tokens.consent(challenge=query.get("code_challenge", ""))
        answer = {"code": code, "oa_id": self._oa_id, "state": query.get("state", "")}
        raise web.HTTPFound(URL(query["redirect_uri"]).update_query(answer))

    def _check_consent(self, app_id: str, redirect_uri: str) -> None:
        if app_id != self._app_id:
            raise OAuthRefused(INVALID_APP, "Invalid appId")
        if not redirect_uri or (self._redirect_uri and redirect_uri != self._redirect_uri):
            raise OAuthRefused(INVALID_REDIRECT, "Invalid redirect uri")

    async def _access_token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        try:
            pair = self._grant(form, request.headers.get("secret_key", ""))
        except OAuthRefused as refused:
            self._feed.report("zalo.token", f"Zalo không cấp token: {refused.code}", level=Level.ERROR)
            return web.json_response(refused.body())
        self._feed.report("zalo.token", "Zalo cấp cặp token mới", level=Level.GOOD)
        self._on_grant()
        return web.json_response(pair.body())

    def _grant(self, form: dict[str, str], secret: str) -> Pair:
        app_id = form.get("app_id", "")
        if form.get("grant_type") == "refresh_token":
            token = form.get("refresh_token", "")
            return self._tokens.renew(app_id=app_id, secret=secret, refresh_token=token)
        code, verifier = form.get("code", ""), form.get("code_verifier", "")
        return self._tokens.exchange(app_id=app_id, secret=secret, code=code, verifier=verifier)
