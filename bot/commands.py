"""The commands of a chat's menu ("/donhang") and the words they stand for. Pure.

A chat that has commands turns them into words (`words_for`) and needs to know no more of them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.texts import msg

_COMMAND: Final = re.compile(r"/([A-Za-z0-9_]+)(?:@([A-Za-z0-9_]+))?(?:\s+(.*))?", re.DOTALL)
_HELP: Final = "TG"


@dataclass(frozen=True, slots=True)
class ChatCommand:
    """One line of the menu: `name` without the slash, the word that stands for it, what it does."""

    name: str
    word: str
    description: str


#: In the order in which the menu shows them. Descriptions are sentences of the catalogue.
COMMANDS: Final = (
    ChatCommand("donhang", "DS", msg("Các đơn của quán")),
    ChatCommand("homnay", "HN", msg("Đơn giao hôm nay")),
    ChatCommand("ngaymai", "MAI", msg("Đơn giao ngày mai")),
    ChatCommand("tien", "TIEN", msg("Tiền của quán theo tháng")),
    ChatCommand("danhgia", "DG", msg("Đánh giá của khách")),
    ChatCommand("nghi", "NGHI", msg("Tạm nghỉ nhận đơn")),
    ChatCommand("molai", "MO LAI", msg("Nhận đơn trở lại")),
    ChatCommand("web", "WEB", msg("Vào trang của quán")),
    ChatCommand("trogiup", "TG", msg("Có thể nhắn gì")),
    ChatCommand("ngonngu", "NGON NGU", msg("Chọn ngôn ngữ")),
)

_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {command.name: command.word for command in COMMANDS} | {"help": _HELP}
)


def words_for(text: str, bot_name: str) -> str | None:
    """Return what a chat's text says in words: "/donhang@OurBot CHO" is "DS CHO".

    What is no command of ours stays as it is: "/xn 48274" says what it says, and in a group another bot may
    know it. One that is meant for us by name asks for help; one for another bot is None.
    """
    said = _COMMAND.fullmatch(text.strip())
    if said is None:
        return text
    name, bot, more = said.groups(default="")
    if bot and bot.casefold() != bot_name.casefold():
        return None
    word = _WORDS.get(name.casefold())
    if word:
        return f"{word} {more}".strip()
    return _HELP if bot else text
