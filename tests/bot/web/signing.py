"""People who sign in: their addresses, and the codes and links they were sent."""

import re
from html import unescape
from uuid import UUID, uuid4

from core.actors import Role
from core.channels import Address, AddressKind
from core.partners import addresses, login_codes, one_time_links, staff
from core.partners.one_time_links import LinkPurpose
from core.partners.staff import Member, new_member
from tests.bot.web.conftest import SECRET, Answered, Site

LANS_PHONE = "+84901234567"
LANS_MAIL = "lan@example.com"
MAIL = {"smtp_url": "smtp://127.0.0.1:1", "email_from": "chotdon@chotdon.example"}
SMS_AND_MAIL = {
    "sms_gateway": "esms",
    "esms_api_key": "k",
    "esms_secret_key": "s",
    "esms_brandname": "CHOTDON",
    **MAIL,
}


async def is_in(site: Site) -> bool:
    """Whether the browser is signed in."""
    return not (await site.opens("/seats")).url.partition("?")[0].endswith("/login")


async def known_at(site: Site, role: Role, kind: AddressKind, value: str) -> None:
    """Give a member an address."""
    await addresses.add(site.database.pool, site.staff[role], Address(kind, value), now=site.now)


async def another_kitchen(site: Site, name: str = "Bếp Hương", code: str = "bep-huong") -> UUID:
    """Add a second kitchen and return its id."""
    partner_id = uuid4()
    await site.database.pool.execute(
        "INSERT INTO partners (id, code, name, created_at) VALUES ($1, $2, $3, $4)",
        partner_id,
        code,
        name,
        site.now,
    )
    return partner_id


async def hires(
    site: Site, partner_id: UUID, name: str, role: Role, *, phone: str | None = None, email: str | None = None
) -> Member:
    """Add somebody to a kitchen."""
    return await staff.add(site.database, partner_id, new_member(name, role, phone=phone, email=email))


async def sent_codes(site: Site) -> list[tuple[str, str]]:
    """Return where codes were sent, and the codes, oldest first."""
    rows = await site.database.pool.fetch(
        "SELECT data FROM notices WHERE kind = 'login_code' ORDER BY owed_at, id"
    )
    key = login_codes.code_key(SECRET)
    return [
        (row["data"]["to"]["value"], login_codes.code_of(key, UUID(row["data"]["login_code"])))
        for row in rows
    ]


async def login_link(site: Site, role: Role, *, via: str = "zalo", address: Address | None = None) -> str:
    """Return the path of a one-time link that a member asked for."""
    link_id = await one_time_links.issue(
        site.database.pool,
        site.staff[role],
        LinkPurpose.LOGIN,
        via=via,
        now=site.now,
        address=address,
    )
    return f"/login/{site.signer.one_time(link_id)}"


def fields_of(page: Answered, action: str) -> dict[str, str]:
    """Return the hidden fields of the form that goes there; raises LookupError without such a form."""
    found = re.search(rf'action="{re.escape(action)}".*?</form>', page.html, re.DOTALL)
    if found is None:
        raise LookupError(f"no form to {action}")
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found[0])
    return {name: unescape(value) for name, value in hidden}


async def asks_for_a_code(site: Site, typed: str, *, wanted: str = "") -> Answered:
    """Open the sign-in, type an address and send it."""
    page = await site.opens(f"/login?next={wanted}" if wanted else "/login")
    return await site.sends("/login", {**fields_of(page, "/login"), "address": typed})


async def types_code(site: Site, page: Answered, code: str) -> Answered:
    """Type a code on the page that asks for it."""
    return await site.sends("/login/code", {**fields_of(page, "/login/code"), "code": code})


async def presses_in(site: Site, path: str) -> Answered:
    """Open a one-time link and press its button."""
    page = await site.opens(path)
    return await site.sends(path, fields_of(page, path))
