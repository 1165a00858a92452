"""A database of an earlier version, with what people have put into it, becomes one of today's."""

from collections.abc import AsyncIterator
from datetime import time
from importlib import resources
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from core.database import Connection

_KITCHEN = "0199a000-0000-7000-8000-00000000000a"
_ORDER = "0199a000-0000-7000-8000-0000000000ff"


def schema(number: int) -> str:
    """Return the statements of one migration."""
    return resources.files("core.migrations").joinpath(f"schema_000{number}.sql").read_text("utf-8")


@pytest.fixture
async def of_session_two(database_url: str) -> AsyncIterator[Connection]:
    """Yield a connection to a database as it was before the kitchens had pages, with one order in it."""
    name = f"{urlsplit(database_url).path.strip('/')}_before"
    main = await asyncpg.connect(database_url)
    await main.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    before = await asyncpg.connect(urlunsplit(urlsplit(database_url)._replace(path=f"/{name}")))
    try:
        await before.execute(schema(1))
        await before.execute(schema(2))
        await before.execute(_PLACED)
        yield before
    finally:
        await before.close()
        await main.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await main.close()


async def test_what_was_placed_before_is_found(of_session_two: Connection) -> None:
    """By its dish, its customer and its code, without accents."""
    await of_session_two.execute(schema(3))
    words = await of_session_two.fetchval("SELECT words FROM order_search WHERE order_id = $1", _ORDER)
    assert words == "48274 com ga pho dac biet\x1fcong ty abc\x1f0909123456"


async def test_kitchens_of_before_get_their_morning_sheet_at_six(of_session_two: Connection) -> None:
    """Nobody could choose its hour until now; whoever did keeps it."""
    await of_session_two.execute(
        "INSERT INTO partners (id, code, name, sheet_at, created_at)"
        " VALUES (gen_random_uuid(), 'hoa', 'Hoa', '05:15', now())"
    )
    await of_session_two.execute(schema(3))
    rows = await of_session_two.fetch("SELECT code, sheet_at, next_sheet_at FROM partners ORDER BY code")
    assert [tuple(row) for row in rows] == [("hoa", time(5, 15), None), ("lan", time(6), None)]


async def test_a_service_of_before_goes_on_beside_it(of_session_two: Connection) -> None:
    """It places orders, tells platforms and sends messages with what it knows of."""
    await of_session_two.execute(schema(3))
    await of_session_two.execute(_AS_BEFORE)
    assert await of_session_two.fetchval("SELECT of_partner FROM webhooks") is False
    assert await of_session_two.fetchval("SELECT edits FROM messages") is None


_PLACED = f"""
INSERT INTO partners (id, code, name, created_at) VALUES ('{_KITCHEN}', 'lan', 'Bếp Lan', now());
INSERT INTO platforms (id, name, api_key_hash, webhook_secret, created_at)
VALUES ('{_KITCHEN}', 'Cơm Ngon', 'x', 'whsec_x', now());
INSERT INTO orders (id, platform_id, external_id, partner_id, code, status, version, revision, deliver_at,
    ordered_at, placed_at, asked_at, updated_at, address, note, items, fees, discount, total, currency,
    customer, status_changed_at, status_changed_by, fingerprint)
VALUES ('{_ORDER}', '{_KITCHEN}', 'PX-1', '{_KITCHEN}', '48274', 'pending', 1, 1, now(), now(), now(), now(),
    now(), '12 Lê Lợi', '', '[{{"name": "Cơm gà", "quantity": 2}}, {{"name": "PHỞ Đặc Biệt", "quantity": 1}}
    ]', 0, 0, 100, 'VND', '{{"name": "Công ty ABC", "phone": "+84909123456"}}', now(), '{{}}', 'x');
INSERT INTO events (id, order_id, version, type, at, by, data, snapshot)
VALUES ('{_ORDER}', '{_ORDER}', 1, 'order.placed', now(), '{{}}', '{{}}', '{{}}');
INSERT INTO notices (id, order_id, kind, occasion, data, owed_at)
VALUES ('{_ORDER}', '{_ORDER}', 'order_new', 'v1', '{{}}', now());
"""  # noqa: S608  (constants of ours)

_AS_BEFORE = f"""
INSERT INTO webhooks (id, event_id, order_id, version, platform_id, next_at)
VALUES (gen_random_uuid(), '{_ORDER}', '{_ORDER}', 1, '{_KITCHEN}', now());
INSERT INTO messages (id, notice_id, leg, person, channel, address_kind, address, state, created_at)
VALUES (gen_random_uuid(), '{_ORDER}', 'chat', 'x', 'zalo', 'zalo_user', '1', 'waiting', now());
"""  # noqa: S608  (constants of ours)
