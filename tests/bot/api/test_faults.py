"""What a fault says is for whoever sent the body: it names nothing of ours."""

import pytest

from bot.api.faults import Faulty, checked
from bot.api.models import OrderIn


@pytest.mark.parametrize("content", [5, None, "x", [], True], ids=["number", "null", "text", "list", "truth"])
def test_what_is_no_object_is_told_so(content: object) -> None:
    """An order that is no object, as one in a batch may be, is one fault without a class's name."""
    with pytest.raises(Faulty) as refused:
        checked(OrderIn, content)
    assert [(fault.loc, fault.msg) for fault in refused.value.faults] == [((), "must be an object")]
