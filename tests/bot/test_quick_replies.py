"""The setting that says what the buttons under templates do."""

import unicodedata

import pytest

from bot.intents import Verb
from bot.quick_replies import deeds_of
from core.errors import Misconfigured


def test_labels_are_compared_as_people_read_them() -> None:
    """However the portal composes its accents, and whatever stands around them."""
    deeds = deeds_of(
        {unicodedata.normalize("NFD", " Xác nhận "): "confirm", "HUỶ": "cancel", "Xong": "complete"}
    )
    assert deeds == {"xác nhận": Verb.CONFIRM, "huỷ": Verb.CANCEL, "xong": Verb.COMPLETE}


def test_every_fault_is_named() -> None:
    """A button that does nothing is found at the start, not by a kitchen."""
    with pytest.raises(Misconfigured) as caught:
        deeds_of({"Xác nhận": "confirm", "Huỷ": "delete", "Xong": 1, "Gọi": None})
    assert [fault.split(": ")[1].split()[0] for fault in caught.value.faults] == ["Huỷ", "Xong", "Gọi"]
