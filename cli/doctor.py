"""Whether everything that the service stands on is there: every fault at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import asyncpg
import click
from aiosmtplib import SMTPException
from pydantic import ValidationError
from redis.exceptions import RedisError

from bot.mail.channel import MailChannel
from bot.mail.server import Connections, read_url
from cli.advice import advice, faults_between
from cli.open_questions import OpenQuestion, questions_for
from cli.printing import as_json_option, show, table
from cli.runtime import VAR, env_file, runtime
from cli.sms_checks import check_sms
from cli.telegram_checks import check_telegram
from core.database import AWAY, connect, pending_migrations
from core.errors import Misconfigured
from core.secrets import Secrets
from core.settings import PREFIX, SMS_NEEDS, Settings
from jobs.queues import open_redis
from zalo_oa.account import open_account
from zalo_oa.client import Declined, OfficialAccount
from zalo_oa.credentials import TokenTrouble

_WITHIN: Final = 6.0  # seconds for one check; a call to a gateway has 5
_OLDEST_POSTGRES: Final = 140_000
_OLDEST_REDIS: Final = 6


class State(StrEnum):
    """How a part was found."""

    OK = "ok"
    OFF = "off"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One part, and what is to be said of it."""

    part: str
    state: State
    words: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found of every part, what works less well than it could, what nobody could tell yet."""

    findings: tuple[Finding, ...]
    advice: tuple[str, ...] = ()
    questions: tuple[OpenQuestion, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether there is no fault; advice and open questions are none."""
        return all(found.state is not State.FAULT for found in self.findings)


@click.command()
@as_json_option
def doctor(*, as_json: bool) -> None:
    """Check settings, database, Redis and every gateway; name all faults at once. Exit status 1 if any.

    Nothing is sent to anybody. Below stands what the settings leave undone, and what only a real account
    can settle about the gateways that are set up.

    Example: chotdon doctor
    """
    diagnosis = examine()
    show(_document(diagnosis), lambda: _page(diagnosis), as_json=as_json)
    if not diagnosis.is_sound:
        raise click.exceptions.Exit(1)


def _document(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "ok": diagnosis.is_sound,
        "findings": [
            {"part": found.part, "state": found.state.value, "words": found.words}
            for found in diagnosis.findings
        ],
        "advice": list(diagnosis.advice),
        "to_settle": [
            {"part": each.part, "question": each.question, "how": each.how, "fact": each.fact}
            for each in diagnosis.questions
        ],
    }


def _page(diagnosis: Diagnosis) -> str:
    """Return it as a person reads it: the faults first of all."""
    findings = [(found.part, found.state.value, found.words) for found in diagnosis.findings]
    parts = [table(("PART", "STATE", ""), findings)]
    if diagnosis.advice:
        parts.append("\n".join(["Worth a look:", *(f"  - {words}" for words in diagnosis.advice)]))
    if diagnosis.questions:
        listed = [
            f"  [ ] {each.part}: {each.question}\n      {each.how} ({each.fact})"
            for each in diagnosis.questions
        ]
        parts.append("\n".join(["What only a real account can settle:", *listed]))
    return "\n\n".join(parts)


def examine() -> Diagnosis:
    """Return what was found of every part; servers of our own are started for it where none are named."""
    faults, settings = _settings()
    if settings is None:
        return Diagnosis(tuple(Finding("settings", State.FAULT, fault) for fault in faults))
    told = (*faults, *faults_between(settings))
    findings = [Finding("settings", State.FAULT, fault) for fault in told]
    if not told:
        findings.append(Finding("settings", State.OK, f"{settings.env}, reached at {settings.base_url}"))
    findings += _parts(settings, are_sound=not faults)
    return Diagnosis(tuple(findings), advice(settings), questions_for(settings))


def _parts(settings: Settings, *, are_sound: bool) -> list[Finding]:
    try:
        with _servers(settings, are_sound=are_sound) as ready:
            return asyncio.run(_examine(ready))
    except Misconfigured as error:  # a server of our own did not start
        return [Finding("servers", State.FAULT, fault) for fault in error.faults]


def _settings() -> tuple[tuple[str, ...], Settings | None]:
    """Return every fault of the settings, and what can be used of them all the same."""
    try:
        return (), Settings.load(var=VAR, env_file=env_file())
    except Misconfigured as error:
        return error.faults, _usable()


def _usable() -> Settings | None:
    """Return the settings with the defaults in the place of what cannot be read."""
    try:
        return _read(env_file())
    except ValidationError as error:
        unread = {str(fault["loc"][0]).lower().removeprefix(PREFIX.lower()) for fault in error.errors()}
    fields = Settings.model_fields
    defaults = {name: fields[name].default for name in unread if name in fields}
    try:
        return _read(env_file(), **defaults)
    except ValidationError:
        return None


def _read(file: Path | None, **known: Any) -> Settings:
    return Settings(_env_file=file, **known)


@contextmanager
def _servers(settings: Settings, *, are_sound: bool) -> Iterator[Settings]:
    """Yield the settings with every server's address; our own start only where the settings are sound."""
    if are_sound:
        with runtime() as ready:
            yield ready
    else:
        yield settings


async def _examine(settings: Settings) -> list[Finding]:
    stored, redis, mail, bot, sms = await asyncio.gather(
        _stored(settings),
        _checked("redis", settings.redis_url, _redis, settings),
        _checked("email", settings.smtp_url and settings.email_from, _mail, settings),
        _checked("telegram", settings.telegram_token, check_telegram, settings),
        _checked("sms", settings.sms_is_on, check_sms, settings),
    )
    return [*stored, redis, mail, bot, sms]


async def _stored(settings: Settings) -> list[Finding]:
    """Look at the database, and at Zalo, whose tokens it keeps."""
    database = await _checked("database", settings.database_url, _database, settings)
    if database.state is State.OK or not settings.zalo_is_on:
        return [database, await _checked("zalo", settings.zalo_is_on, _zalo, settings)]
    return [database, Finding("zalo", State.FAULT, "cannot be looked at without the database")]


async def _checked(
    part: str, is_set: object, check: Callable[[Settings], Awaitable[str]], settings: Settings
) -> Finding:
    """Return how a part was found; a check raises for a fault."""
    if not is_set:
        return _unset(part, settings)
    try:
        async with asyncio.timeout(_WITHIN):
            return Finding(part, State.OK, await check(settings))
    except TimeoutError:
        return Finding(part, State.FAULT, f"no answer within {_WITHIN:.0f} s")
    except _FAULTS as error:
        return Finding(part, State.FAULT, str(error) or type(error).__name__)


def _unset(part: str, settings: Settings) -> Finding:
    names = _needed(part, settings)
    missing = ", ".join(f"{PREFIX}{name.upper()}" for name in names if not getattr(settings, name))
    if any(getattr(settings, name) for name in names):
        return Finding(part, State.FAULT, f"set up in part: {missing} is missing")
    return Finding(part, State.OFF, f"needs {missing}")


def _needed(part: str, settings: Settings) -> tuple[str, ...]:
    if part == "sms":
        return ("sms_gateway", *(SMS_NEEDS[settings.sms_gateway] if settings.sms_gateway else ()))
    return _NEEDED.get(part, (f"{part}_url",))


async def _database(settings: Settings) -> str:
    url = settings.require("database_url")
    connection = await asyncpg.connect(url, timeout=_WITHIN)
    try:
        number = int(await connection.fetchval("SHOW server_version_num"))
    finally:
        await connection.close()
    if number < _OLDEST_POSTGRES:
        raise Misconfigured(f"PostgreSQL {number // 10_000} is too old: 14 is the oldest that works")
    if pending := await pending_migrations(url):
        raise Misconfigured(f"the schema is behind ({', '.join(pending)}): run `chotdon migrate`")
    return f"PostgreSQL {number // 10_000}, newest schema"


async def _redis(settings: Settings) -> str:
    redis = open_redis(settings.require("redis_url"))
    try:
        version = str((await redis.info("server"))["redis_version"])
    finally:
        await redis.aclose()
    if int(version.partition(".")[0]) < _OLDEST_REDIS:
        raise Misconfigured(f"Redis {version} is too old: 6 is the oldest that works")
    return f"answers as Redis {version}"


async def _mail(settings: Settings) -> str:
    MailChannel.from_settings(settings)  # reads who the mails come from
    server = read_url(settings.require("smtp_url"))
    connections = Connections(server)
    client = await connections.take()
    connections.keep(client)
    await connections.close()
    return f"{server.host}:{server.port} takes mail ({server.tls.value})"


async def _zalo(settings: Settings) -> str:
    async with connect(settings.require("database_url"), connections=2) as database:
        secrets = Secrets(database, settings.require("secret_key"))
        client = open_account(settings, secrets).client
        try:
            account = await client.get_oa()
        finally:
            await client.close()
    if isinstance(account, Declined):
        raise Misconfigured(f"Zalo says {account.fault.code}: {account.fault.meaning}")
    if not isinstance(account, OfficialAccount):
        raise Misconfigured(f"Zalo gave no answer that can be used: {account.why}")
    if account.id != settings.zalo_oa_id:
        raise Misconfigured(f"the token is for account {account.id}, {PREFIX}ZALO_OA_ID names another")
    return f"{account.name} answers to our token"


_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "zalo": ("zalo_app_id", "zalo_app_secret", "zalo_oa_id", "zalo_oa_secret"),
    "email": ("smtp_url", "email_from"),
    "telegram": ("telegram_token",),
}
_FAULTS: Final = (
    *AWAY,
    asyncpg.PostgresError,
    Misconfigured,
    RedisError,
    SMTPException,
    TokenTrouble,
)
