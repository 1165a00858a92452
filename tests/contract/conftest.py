"""Each test of the contract runs once for every gateway, behind the channel that the registry opens."""

from collections.abc import AsyncIterator
from typing import Final

import pytest

from bot.registry import CHANNELS
from core.channels import Channel, ChannelName
from core.database import connect
from core.settings import Settings
from tests.contract.gateways import GATEWAYS, Gateway

ALL: Final = tuple(GATEWAYS.values())


@pytest.fixture(params=ALL, ids=list(GATEWAYS))
async def pair(
    request: pytest.FixtureRequest, database_url: str
) -> AsyncIterator[tuple[ChannelName, Channel, Gateway]]:
    """Yield a channel as the registry opens it, and the gateway it talks to."""
    name, make = request.param
    async with connect(database_url) as database, make() as gateway:
        settings = Settings(secret_key="a key for the contract of channels", **gateway.settings())
        assert CHANNELS[name].is_on(settings)
        channel = CHANNELS[name].open(settings, database)
        yield name, channel, gateway
        await channel.close()


@pytest.fixture
def channel(pair: tuple[ChannelName, Channel, Gateway]) -> Channel:
    """Return the channel."""
    return pair[1]


@pytest.fixture
def gateway(pair: tuple[ChannelName, Channel, Gateway]) -> Gateway:
    """Return the gateway."""
    return pair[2]
