"""Setting aside partners' codes that no order uses."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core.database import Connection
from core.orders.codes import CODES, code_at

#: A code rests this long after its order's final status.
CODE_RESTS: Final = timedelta(days=30)
_TO_SPARE: Final = 4


@dataclass(slots=True)
class Drawing:
    """What a partner needs: so many codes, from where its counter stands (`drawn`); and the free ones found.

    `counter` is where it stands after them.
    """

    partner_id: UUID
    drawn: int
    count: int
    free: list[str] = field(default_factory=list)
    looked: int = 0
    counter: int = field(init=False)

    def __post_init__(self) -> None:
        self.counter = self.drawn

    @property
    def is_over(self) -> bool:
        """Whether enough were found, or all were looked at."""
        return len(self.free) == self.count or self.looked == CODES

    def next_codes(self, key: bytes) -> list[str]:
        """Return the codes to look at next: a few at first, as most are free, then more and more."""
        step = min(max(self.count + _TO_SPARE, 3 * self.looked), CODES - self.looked)
        first = self.drawn + self.looked
        return [code_at((first + n) % CODES, key=key, partner_id=self.partner_id) for n in range(step)]

    def keep(self, codes: Sequence[str], taken: frozenset[str]) -> None:
        """Keep those of the codes looked at that are free, as far as they are needed."""
        for n, code in enumerate(codes):
            if code not in taken and len(self.free) < self.count:
                self.free.append(code)
                self.counter = (self.drawn + self.looked + n + 1) % CODES
        self.looked += len(codes)


async def find_free(
    connection: Connection, drawings: Sequence[Drawing], *, key: bytes, now: datetime
) -> None:
    """Fill the drawings with free codes, as far as there are any; the partners are locked."""
    while left := [drawing for drawing in drawings if not drawing.is_over]:
        codes = [drawing.next_codes(key) for drawing in left]
        taken = await _taken(connection, left, codes, now - CODE_RESTS)
        for drawing, looked_at in zip(left, codes, strict=True):
            drawing.keep(looked_at, frozenset(taken[drawing.partner_id]))


async def _taken(
    connection: Connection, drawings: Sequence[Drawing], codes: Sequence[Sequence[str]], since: datetime
) -> dict[UUID, list[str]]:
    partners = [drawing.partner_id for drawing in drawings]
    rows = await connection.fetch(_TAKEN, partners, [code for own in codes for code in own], since)
    taken: dict[UUID, list[str]] = defaultdict(list)
    for row in rows:
        taken[row["partner_id"]].append(row["code"])
    return taken


# Also tells of codes that one partner has and another one looks at, which does no harm.
_TAKEN: Final = """
SELECT partner_id, code FROM orders
WHERE partner_id = ANY($1::uuid[]) AND code = ANY($2::text[]) AND (final_at IS NULL OR final_at > $3)
"""
