"""Who somebody is to us when something comes in from them."""

from core.channels import Inbound
from core.database import Database
from core.partners import addresses
from core.partners.addresses import StaffAt


async def heard(database: Database, inbound: Inbound) -> list[StaffAt]:
    """Remember that this address wrote to us; return the staff behind it, in a group its kitchen's."""
    pool, now = database.pool, database.clock.now()
    await addresses.heard(pool, inbound.sender, now=now)
    seats = await addresses.staff_at(pool, inbound.sender)
    if inbound.group is None:
        return seats
    theirs = {seat.partner_id for seat in seats}
    await addresses.heard(pool, inbound.group, now=now, kitchens=theirs)
    kitchens = {seat.partner_id for seat in await addresses.staff_at(pool, inbound.group)}
    return [seat for seat in seats if seat.partner_id in kitchens]
