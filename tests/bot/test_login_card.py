"""The code that signs in, as it is told."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from bot.cards.login import login_code_card
from bot.cards.short import ONE, sms_length
from bot.cards.view import Desk, Frame
from bot.texts import texts_in
from bot.texts.plain import unaccented
from bot.tokens import Signer
from core.partners import login_codes
from core.schedule import Policy

KEY = login_codes.code_key("a secret of this test")


@pytest.mark.parametrize("locale", ["vi", "en"])
def test_it_fits_one_sms_and_begins_with_the_code(locale: str) -> None:
    """In both languages, without a link, and says whom to give it to: nobody."""
    desk = Desk("https://don.example", Signer(["a secret"]), Policy())
    frame = Frame(
        desk, texts_in(locale), ZoneInfo("Asia/Ho_Chi_Minh"), datetime(2026, 11, 24, tzinfo=UTC), "Bếp Lan"
    )
    card = login_code_card(frame, "048213")
    assert "048213" in card.title
    assert sms_length(unaccented(card.short)) <= ONE
    assert "048213" in card.short[:60]
    assert "http" not in card.short


def test_a_code_is_made_of_its_id_and_our_key() -> None:
    """Always six digits, the same every time, another one with another key."""
    ids = [UUID(int=number) for number in range(200)]
    codes = [login_codes.code_of(KEY, each) for each in ids]
    assert all(len(code) == login_codes.DIGITS and code.isdigit() for code in codes)
    assert codes == [login_codes.code_of(KEY, each) for each in ids]
    assert len(set(codes)) > 190
    other = login_codes.code_key("another secret")
    assert codes != [login_codes.code_of(other, each) for each in ids]
