"""A group gets no more messages in a minute than Telegram takes."""

from datetime import timedelta

from bot.telegram.pace import PER_MINUTE, GroupPace

# docs/facts.md#telegram-rates: messages a minute in one group.
TELEGRAM_TAKES = 20


class Watch:
    """Real time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


def test_a_full_minute_waits_for_its_end() -> None:
    """The first that is too many is told how long; after that time it goes."""
    watch = Watch()
    pace = GroupPace(clock=watch)
    for _ in range(PER_MINUTE):
        assert pace.wait("-100") == timedelta()
        watch.seconds += 1
    wait = pace.wait("-100")
    assert wait == timedelta(seconds=60 - PER_MINUTE)
    watch.seconds += wait.total_seconds()
    assert pace.wait("-100") == timedelta()
    assert pace.wait("-100") == timedelta(seconds=1)


def test_other_chats_do_not_wait_for_it() -> None:
    """Another group has its own minute, and a person has none."""
    pace = GroupPace(clock=Watch())
    assert [pace.wait("-100") for _ in range(PER_MINUTE + 1)][-1]
    assert pace.wait("-200") == timedelta()
    assert {pace.wait("700") for _ in range(100)} == {timedelta()}


def test_no_minute_ever_sees_more_than_telegram_takes() -> None:
    """Whenever they come: of all that went, no twenty-one lie within a minute."""
    watch = Watch()
    pace = GroupPace(clock=watch)
    went: list[float] = []
    for step in range(600):
        watch.seconds += (step * 7 % 11) / 10
        if not pace.wait("-100"):
            went.append(watch.seconds)
    assert len(went) > 2 * TELEGRAM_TAKES
    assert all(late - early >= 60 for early, late in zip(went, went[TELEGRAM_TAKES:], strict=False))
