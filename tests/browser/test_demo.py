"""`make demo` as a newcomer meets it: one command, the wall, a tapped order, Ctrl-C, and a second start."""

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
from playwright.async_api import Page, expect

from tests.browser.conftest import chromium_path

_READY_WITHIN: Final = 90.0
_STOP_WITHIN: Final = 40.0
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


@pytest.mark.timeout(300)
async def test_a_newcomer_taps_an_order_and_comes_back_the_next_day(page: Page, tmp_path: Path) -> None:
    """Place, confirm on the wall, move the clock, complete; a second start finds the order where it was."""
    chromium_path()
    (tmp_path / ".env").write_text(_REAL_GATEWAY)

    with running(tmp_path) as demo:
        await page.goto(demo.wall)
        chat, order = page.get_by_role("log"), page.locator(".order").first
        await expect(order).to_contain_text("Chờ xác nhận", timeout=15_000)
        await page.get_by_role("button", name="Đặt đơn mới").click()
        await expect(page.locator(".order")).to_have_count(2, timeout=15_000)
        await chat.get_by_role("button", name="Xác nhận đơn hàng").last.click()
        await expect(order).to_contain_text("Đã xác nhận", timeout=15_000)
        for _ in range(4):
            await page.get_by_role("button", name="+1 giờ").click()
            await page.wait_for_timeout(500)
        await expect(chat.get_by_role("button", name="Hoàn thành").last).to_be_visible(timeout=20_000)
        await chat.get_by_role("button", name="Hoàn thành").last.click()
        await expect(order).to_contain_text("Hoàn thành", timeout=15_000)
        await expect(page.locator(".mails li").first).to_be_visible()
        details = await chat.get_by_role("link", name="Xem chi tiết đơn hàng").last.get_attribute("href")
        assert details
        await page.goto(details)
        await expect(page.locator("body")).to_contain_text("Hoàn thành")

    with running(tmp_path) as demo:
        await page.goto(demo.wall)
        chat = page.get_by_role("log")
        await page.get_by_placeholder(re.compile("Tin nhắn")).fill("DS HT")
        await page.keyboard.press("Enter")
        await expect(chat).to_contain_text("Hoàn thành", timeout=15_000)
