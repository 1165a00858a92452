"""`make demo` as a newcomer meets it: one command, the wall, a tapped order, Ctrl-C, and a second start."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import chromium_path

_READY_WITHIN: Final = 90.0
_STOP_WITHIN: Final = 40.0
#: Within two seconds every process knows that the clock was moved (ms, and a little more).
_CLOCK_HEARD: Final = 3_000
#: How long a step may take on a machine that does something else beside (ms).
_SLOW: Final = 30_000
#: Of a `.env` that a newcomer may have: a demo must not reach what it names.
_REAL_GATEWAY: Final = "CHOTDON_ZALO_OPENAPI_URL=http://127.0.0.1:9\nCHOTDON_SMTP_URL=smtp://127.0.0.1:9\n"


@dataclass(slots=True)
class Demo:
    """A running demo, and what it has printed."""

    process: "subprocess.Popen[str]"
    printed: list[str] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)

    @property
    def text(self) -> str:
        """Everything printed so far."""
        return "".join(self.printed)

    @property
    def wall(self) -> str:
        """The address of the wall, as printed."""
        found = re.search(r"Phone wall\s+(http://\S+)", self.text)
        assert found, self.text
        return found[1]

    def listen(self) -> None:
        """Take down what it prints, until it ends."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.printed.append(line)
            if "Ctrl-C" in line:
                self.ready.set()


@contextmanager
def running(folder: Path) -> Iterator[Demo]:
    """Start the demo in a folder, as a command of its own; Ctrl-C ends it, and nothing of it is left."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHOTDON_")}
    command = Path(sys.executable).with_name("chotdon")
    process = subprocess.Popen(
        [command, "demo"],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    demo = Demo(process)
    listener = threading.Thread(target=demo.listen, daemon=True)
    listener.start()
    try:
        assert demo.ready.wait(_READY_WITHIN), demo.text
        family = psutil.Process(process.pid).children(recursive=True)
        yield demo
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_WITHIN)
        finally:
            process.kill()
            listener.join(5)
            process.communicate()
    left = [member for member in family if member.is_running() and member.status() != psutil.STATUS_ZOMBIE]
    assert left == []
    assert process.returncode == 0, demo.text


async def moves(page: Page, by: str, *, times: int = 1) -> None:
    """Move the clock by its buttons, each press after the one before has done its deed.

    Return when every process has heard of it: before that, a tap may be told that it is too early.
    """
    button = page.get_by_role("button", name=by)
    for _ in range(times):
        await button.click()
        await expect(button).not_to_have_attribute("aria-busy", "true", timeout=_SLOW)
    await page.wait_for_timeout(_CLOCK_HEARD)


async def taps(page: Page, card: Locator, label: str) -> None:
    """Tap the newest button of this label until the wall tells of it.

    What arrives at that very moment moves the card from under the finger; a second tap has no second effect.
    """
    told = page.locator(".steps").get_by_text(f"bấm “{label}”")
    before = await told.count()
    async with asyncio.timeout(_SLOW / 1000):
        while await told.count() == before:
            await card.get_by_role("button", name=label).last.click(timeout=_SLOW)
            await page.wait_for_timeout(1000)


@pytest.mark.timeout(300)
async def test_a_newcomer_taps_an_order_and_comes_back_the_next_day(page: Page, tmp_path: Path) -> None:
    """Place, confirm on Zalo and from a cheap phone, move the clock, complete; and find it all again."""
    chromium_path()
    (tmp_path / ".env").write_text(_REAL_GATEWAY)

    with running(tmp_path) as demo:
        await page.goto(demo.wall)
        chat, texts = page.locator("#zalo").get_by_role("log"), page.locator("#sms").get_by_role("log")
        newest, first = page.locator(".order").first, page.locator(".order").last
        await expect(newest).to_contain_text("Chờ xác nhận", timeout=_SLOW)
        await page.get_by_role("button", name="Đặt đơn mới").click()
        await expect(page.locator(".order")).to_have_count(2, timeout=_SLOW)
        code, waiting = await newest.locator(".code").inner_text(), await first.locator(".code").inner_text()
        card = chat.locator(".message.theirs", has_text=code)
        await taps(page, card, "Xác nhận đơn hàng")
        await expect(newest).to_contain_text("Đã xác nhận", timeout=_SLOW)

        await moves(page, "+10 phút", times=4)
        await expect(texts.locator(".got").last).to_contain_text(f"XN {waiting}", timeout=_SLOW)
        await page.locator("#sms").get_by_role("button", name="XN").click()
        await expect(first).to_contain_text("Đã xác nhận", timeout=_SLOW)
        await expect(texts.locator(".wrote ~ .got").last).to_contain_text(waiting, timeout=_SLOW)

        await moves(page, "+1 giờ", times=4)
        await taps(page, card, "Hoàn thành")
        await expect(newest).to_contain_text("Hoàn thành", timeout=_SLOW)
        await expect(page.locator(".mails li").first).to_be_visible()
        details = await card.get_by_role("link", name="Xem chi tiết đơn hàng").last.get_attribute("href")
        assert details
        await page.goto(details)
        await expect(page.locator("body")).to_contain_text("Hoàn thành")
        await page.goto(f"{demo.wall}console")
        await page.get_by_role("button").click()
        await expect(page.get_by_role("heading", name="Bảng đơn")).to_be_visible(timeout=_SLOW)
        await page.goto("about:blank")  # an open page would go on asking for what is new

    with running(tmp_path) as demo:
        await page.goto(demo.wall)
        minhs = page.locator("#telegram").get_by_role("log")
        await expect(minhs.locator(".tg-message", has_text=code).first).to_contain_text("đã sửa")
        await page.get_by_placeholder(re.compile("Tin nhắn")).fill("DS HT")
        await page.keyboard.press("Enter")
        await expect(page.locator("#zalo").get_by_role("log")).to_contain_text("Hoàn thành", timeout=_SLOW)
        await expect(page.locator("#sms").get_by_role("log")).to_contain_text(waiting)
