import base64
from collections.abc import Sequence
from typing import Any

import pytest

from core.database import Database
from core.errors import Conflict, RuleError
from core.partners.models import PlatformRow
from core.platforms import platforms
from core.platforms.platforms import Scope
from core.platforms.public_addresses import check_webhook_url, is_public_address


async def test_a_key_opens_its_platform(database: Database) -> None:
    """The key is shown once; what is kept does not contain it."""
    keys = await platforms.add("Cơm Ngon", now=database.clock.now(), scope=Scope.OWN)

    platform = await platforms.authenticate(keys.api_key, now=database.clock.now())

    assert platform
    assert (platform.name, platform.scope, platform.notify_customer) == ("Cơm Ngon", Scope.OWN, True)
    row = await PlatformRow.get(id=platform.id)
    assert keys.api_key.encode() not in bytes(row.api_key_hash)
    assert keys.api_key not in repr(keys)
    assert keys.webhook_secret not in repr(keys)


async def test_keys_are_long_and_each_its_own(database: Database) -> None:
    """32 random bytes at least, and a secret as Standard Webhooks wants it."""
    one = await platforms.add("Cơm Ngon", now=database.clock.now())
    other = await platforms.add("Ăn Nhanh", now=database.clock.now())

    assert one.api_key != other.api_key
    assert len(one.api_key.removeprefix("cdk_")) >= 43
    prefix, _, secret = one.webhook_secret.partition("_")
    assert (prefix, len(base64.b64decode(secret, validate=True))) == ("whsec", 32)


@pytest.mark.parametrize("key", ["", "cdk_", "x" * 10_000, "\udcff", "cdk_\u0000"])
async def test_a_strangers_key_opens_nothing(database: Database, key: str) -> None:
    """Whatever is tried as a key."""
    await platforms.add("Cơm Ngon", now=database.clock.now())

    assert await platforms.authenticate(key, now=database.clock.now()) is None


async def test_names_are_unique(database: Database) -> None:
    """The name stands in the history of orders; so two platforms must not share it."""
    await platforms.add("Cơm Ngon", now=database.clock.now())

    with pytest.raises(Conflict) as caught:
        await platforms.add(" Cơm  Ngon ", now=database.clock.now())

    assert caught.value.code == "platform_name"


async def test_a_refused_address_adds_nothing(database: Database) -> None:
    """Neither the platform nor a key."""
    with pytest.raises(RuleError):
        await platforms.add("Cơm Ngon", now=database.clock.now(), webhook_url="http://127.0.0.1/")

    assert await PlatformRow.all().count() == 0


def _resolving(*addresses: str) -> Any:
    async def resolve(host: str) -> Sequence[str]:
        return addresses

    return resolve


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/hooks",
        "https://shop.example:8443/hooks?a=1",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]/",
        "https://xn--cm-ngon-mfb.example/",
        "https://shop.example./hooks",
    ],
)
async def test_public_addresses_pass(url: str) -> None:
    """Https to the public internet, at any port."""
    await check_webhook_url(url, resolve=_resolving("1.1.1.1", "2606:4700:4700::1111"))


async def test_a_host_that_is_not_found_yet_passes() -> None:
    """Whoever sends looks again."""
    await check_webhook_url("https://soon.example/", resolve=_resolving())


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://shop.example/", "not_https"),
        ("ftp://shop.example/", "not_https"),
        ("shop.example", "not_https"),
        ("", "not_https"),
        ("https://", "malformed"),
        ("https:///hooks", "malformed"),
        ("https://user:pass@shop.example/", "userinfo"),
        ("https://@shop.example/", "userinfo"),
        ("https://shop.example:0/", "malformed"),
        ("https://shop.example:99999/", "malformed"),
        ("https://shop.example/#part", "malformed"),
        ("https://shop example/", "malformed"),
        ("https://shop.example\\@evil.example/", "malformed"),
        ("https://shop.example/\r\nX: y", "malformed"),
        ("https://cơm.example/", "malformed"),
        ("https://" + "a" * 3_000, "malformed"),
        ("https://[::1", "malformed"),
        ("https://2130706433/", "malformed"),
        ("https://0x7f000001/", "malformed"),
        ("https://127.1/", "malformed"),
        ("https://localhost/", "private_address"),
        ("https://LOCALHOST./", "private_address"),
        ("https://api.localhost/", "private_address"),
        ("https://printer.local/", "private_address"),
        ("https://127.0.0.1/", "private_address"),
        ("https://[::1]/", "private_address"),
        ("https://10.0.0.8/", "private_address"),
    ],
)
async def test_other_addresses_are_refused(url: str, why: str) -> None:
    """Each for its reason."""
    with pytest.raises(RuleError) as caught:
        await check_webhook_url(url, resolve=_resolving("1.1.1.1"))

    assert (caught.value.code, caught.value.facts) == ("webhook_url_refused", {"why": why})


async def test_one_private_address_among_public_ones_is_enough() -> None:
    """A name that leads to both is refused."""
    with pytest.raises(RuleError):
        await check_webhook_url("https://shop.example/", resolve=_resolving("1.1.1.1", "10.0.0.1"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/hooks", "http://localhost/", "https://10.0.0.8/"])
async def test_development_may_stay_at_home(url: str) -> None:
    """With `WEBHOOK_ALLOW_PRIVATE`; userinfo is refused all the same."""
    await check_webhook_url(url, allow_private=True)

    with pytest.raises(RuleError):
        await check_webhook_url(url.replace("://", "://me@"), allow_private=True)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.1",
        "255.255.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "192.0.0.9",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2001:0:1::1",
        "2001:db8::1",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "::ffff:0:a00:1",
        "ff02::1",
        "nonsense",
    ],
)
def test_what_is_not_public(address: str) -> None:
    """Own networks, this machine, many at once, and wrappings of all these."""
    assert not is_public_address(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "103.216.120.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_what_is_public(address: str) -> None:
    """The internet."""
    assert is_public_address(address)
