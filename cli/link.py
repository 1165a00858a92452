"""Linking a chat to a staff member."""

from dataclasses import dataclass

import click
from telegram.error import TelegramError

from bot.telegram.client import close_bot, deep_link, open_bot, username
from cli.office import Office, run
from cli.printing import as_json_option, show
from core.channels import ChannelName
from core.partners import linking, partners, staff
from core.partners.linking import LinkCode
from core.partners.partners import Partner
from core.partners.staff import Member
from core.settings import Settings

_CHATS = (ChannelName.ZALO, ChannelName.TELEGRAM, ChannelName.SMS)


@click.command()
@click.argument("partner")
@click.option("--staff", "name", metavar="NAME", help="Whose chat it is; the owner's by default.")
@click.option("--channel", required=True, type=click.Choice([chat.value for chat in _CHATS]))
@click.option("--group", is_flag=True, help="Make the address one that adds the bot to a Telegram group.")
@as_json_option
def link(partner: str, *, name: str | None, channel: str, group: bool, as_json: bool) -> None:
    """Make a one-time code by which somebody links a chat: they send the text printed here from it.

    On Telegram they may open the address instead. The code lives 15 minutes.

    Example: chotdon link com-nha-lan --staff Lan --channel zalo
    """
    if group and channel != ChannelName.TELEGRAM.value:
        raise click.UsageError("--group is for --channel telegram.")

    async def work(office: Office) -> _Made:
        kitchen = await partners.by_code(office.database.pool, partner)
        member = await _member(office, kitchen, name)
        key = linking.code_key(office.settings.require("secret_key"))
        code = await linking.create_code(office.database, member.id, ChannelName(channel), key=key)
        url = None
        if channel == ChannelName.TELEGRAM.value:
            url = await _deep_link(office.settings, code, group=group)
        return _Made(code, url, member, kitchen, office.settings)

    made = run(work)
    text, where = _told(made, ChannelName(channel))
    expires_at = made.code.expires_at.astimezone(made.kitchen.zone)
    document = {"code": made.code.code, "expires_at": expires_at.isoformat(), "text": text}
    show(
        document | ({"url": made.url} if made.url else {}),
        lambda: f"{made.member.name}: {where} until {expires_at:%H:%M on %d/%m/%Y}.",
        as_json=as_json,
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """A code and whose it is; `url` opens Telegram with it."""

    code: LinkCode
    url: str | None
    member: Member
    kitchen: Partner
    settings: Settings


async def _deep_link(settings: Settings, code: LinkCode, *, group: bool) -> str | None:
    """Return the address that links by one tap; without it the text does, where Telegram cannot be asked."""
    if not settings.telegram_token:
        return None
    bot = open_bot(settings)
    try:
        return deep_link(await username(bot), code.code, group=group)
    except (TelegramError, ValueError) as error:
        click.echo(f"Telegram did not tell the bot's name ({type(error).__name__}): no address.", err=True)
        return None
    finally:
        await close_bot(bot)


def _told(made: _Made, channel: ChannelName) -> tuple[str, str]:
    """Return what is to be sent, and the words that say so: an SMS needs its prefix and its number."""
    text = made.code.text
    if made.url:
        return text, f"open  {made.url}  or send  {text}  on telegram"
    if channel is not ChannelName.SMS:
        return text, f"send  {text}  on {channel.value}"
    prefix, number = made.settings.sms_reply_prefix, made.settings.sms_reply_number
    text = f"{prefix} {text}" if prefix else text
    return text, f"soạn  {text}  gửi {number}" if number else f"send  {text}  by SMS"


async def _member(office: Office, kitchen: Partner, name: str | None) -> Member:
    if name is None:
        return await staff.first_of(office.database.pool, kitchen.id)
    return await staff.by_name(office.database.pool, kitchen.id, name)
