from datetime import time, timedelta
from typing import Any

import pytest

from core.actors import Role
from core.channels import AddressKind
from core.database import Database
from core.errors import Conflict, NotFound, RuleError
from core.partners import partners
from core.partners.partners import NONE, NewPartner, PartnerChange

LAN = NewPartner(
    "com-nha-lan",
    "Cơm Nhà Lan",
    "vi",
    "Asia/Ho_Chi_Minh",
    owner="Lan",
    phone="0901 234 567",
    email="lan@Example.com",
)


def partner(**differs: Any) -> NewPartner:
    """Return Lan's kitchen, but for what is given."""
    return NewPartner(
        **{"code": "bep", "name": "Bếp", "locale": "vi", "timezone": "Asia/Ho_Chi_Minh", **differs}
    )


async def test_a_partner_comes_with_its_owner(database: Database) -> None:
    """The phone and the email become addresses of the owner, in one spelling."""
    added, owner = await partners.add(database, LAN)

    assert (added.code, added.name, added.zone.key) == ("com-nha-lan", "Cơm Nhà Lan", "Asia/Ho_Chi_Minh")
    assert (owner.name, owner.role, owner.is_recipient) == ("Lan", Role.OWNER, True)
    assert [known.value for known in owner.live(AddressKind.PHONE)] == ["+84901234567"]
    assert [known.value for known in owner.live(AddressKind.EMAIL)] == ["lan@example.com"]


async def test_the_owner_is_named_as_the_partner_unless_said(database: Database) -> None:
    """A kitchen without a named owner still has somebody who is told."""
    _, owner = await partners.add(database, partner(name="Bếp  Mẹ "))
    assert owner.name == "Bếp Mẹ"


async def test_a_code_is_taken_once(database: Database) -> None:
    """A second kitchen of the same code is refused, and leaves nothing behind."""
    await partners.add(database, LAN)
    with pytest.raises(Conflict, match="partner_exists"):
        await partners.add(database, LAN)
    assert await database.pool.fetchval("SELECT count(*) FROM staff") == 1


@pytest.mark.parametrize(
    ("differs", "rule"),
    [
        ({"code": "Cơm"}, "partner_code_invalid"),
        ({"code": "-com"}, "partner_code_invalid"),
        ({"code": "com/lan"}, "partner_code_invalid"),
        ({"code": "a" * 41}, "partner_code_invalid"),
        ({"code": "com\n"}, "partner_code_invalid"),
        ({"name": "   "}, "name_invalid"),
        ({"name": "Bếp\0Lan"}, "name_invalid"),
        ({"name": "Bếp\ud800"}, "name_invalid"),
        ({"name": "x" * 121}, "name_invalid"),
        ({"locale": "fr"}, "locale_unknown"),
        ({"timezone": "Asia/Saigonn"}, "timezone_unknown"),
        ({"timezone": "../../etc/passwd"}, "timezone_unknown"),
        ({"phone": "8041"}, "phone_invalid"),
        ({"email": "lan@"}, "email_invalid"),
        ({"email": "lan@example.com\r\nBcc: x@y.vn"}, "email_invalid"),
        ({"email": f"{'a' * 65}@example.com"}, "email_invalid"),
    ],
)
async def test_what_cannot_be_is_refused_by_its_rule(
    database: Database, differs: dict[str, str], rule: str
) -> None:
    """Nothing is stored of a partner with one bad word."""
    with pytest.raises(RuleError) as refused:
        await partners.add(database, partner(**differs))
    assert refused.value.code == rule
    assert await database.pool.fetchval("SELECT count(*) FROM partners") == 0


async def test_a_change_changes_only_what_it_names(database: Database) -> None:
    """What is not named stays; what was set can be taken away again."""
    await partners.add(database, LAN)
    until = database.clock.now() + timedelta(days=2)
    quiet = (time(22), time(6))
    await partners.change(
        database, LAN.code, PartnerChange(quiet=quiet, sheet_at=time(6), paused_until=until)
    )
    changed = await partners.change(database, LAN.code, PartnerChange(locale="en", paused_until=NONE))

    assert (changed.locale, changed.quiet, changed.sheet_at) == ("en", quiet, time(6))
    assert changed.paused_until is None


@pytest.mark.parametrize(
    ("wanted", "rule"),
    [
        (PartnerChange(locale="fr"), "locale_unknown"),
        (PartnerChange(timezone="Mars"), "timezone_unknown"),
        (PartnerChange(quiet=(time(6), time(6))), "quiet_hours_empty"),
    ],
)
async def test_a_change_that_cannot_be_is_refused(
    database: Database, wanted: PartnerChange, rule: str
) -> None:
    """A bad setting is named, not stored."""
    await partners.add(database, LAN)
    with pytest.raises(RuleError, match=rule):
        await partners.change(database, LAN.code, wanted)


async def test_a_pause_lies_ahead(database: Database) -> None:
    """A pause until yesterday is a slip of the finger."""
    await partners.add(database, LAN)
    with pytest.raises(RuleError, match="paused_until_past"):
        await partners.change(database, LAN.code, PartnerChange(paused_until=database.clock.now()))


@pytest.mark.parametrize("code", ["nobody", "", "có-dấu", "a\0b", "\ud800"])
async def test_an_unknown_code_is_not_found(database: Database, code: str) -> None:
    """However strange the code, it is simply not there."""
    with pytest.raises(NotFound, match="no_such_partner"):
        await partners.by_code(database.pool, code)
