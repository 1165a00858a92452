"""Linking a chat to a staff member."""

import click

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
@as_json_option
def link(partner: str, *, name: str | None, channel: str, as_json: bool) -> None:
    """Make a one-time code by which somebody links a chat: they send the text printed here from it.

    The code lives 15 minutes.

    Example: chotdon link com-nha-lan --staff Lan --channel zalo
    """

    async def work(office: Office) -> tuple[LinkCode, Member, Partner, Settings]:
        kitchen = await partners.by_code(office.database.pool, partner)
        member = await _member(office, kitchen, name)
        key = linking.code_key(office.settings.require("secret_key"))
        return (
            await linking.create_code(office.database, member.id, ChannelName(channel), key=key),
            member,
            kitchen,
            office.settings,
        )

    code, member, kitchen, settings = run(work)
    expires_at = code.expires_at.astimezone(kitchen.zone)
    text, where = _told(code, ChannelName(channel), settings)
    document = {"code": code.code, "expires_at": expires_at.isoformat(), "text": text}
    show(
        document,
        lambda: f"{member.name}: {where} until {expires_at:%H:%M on %d/%m/%Y}.",
        as_json=as_json,
    )


def _told(code: LinkCode, channel: ChannelName, settings: Settings) -> tuple[str, str]:
    """Return what is to be sent, and the words that say so: an SMS needs its prefix and its number."""
    if channel is not ChannelName.SMS:
        return code.text, f"send  {code.text}  on {channel.value}"
    prefix, number = settings.sms_reply_prefix, settings.sms_reply_number
    text = f"{prefix} {code.text}" if prefix else code.text
    return text, f"soạn  {text}  gửi {number}" if number else f"send  {text}  by SMS"


async def _member(office: Office, kitchen: Partner, name: str | None) -> Member:
    if name is None:
        return await staff.first_of(office.database.pool, kitchen.id)
    return await staff.by_name(office.database.pool, kitchen.id, name)
