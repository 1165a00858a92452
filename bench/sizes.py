"""How much is measured: enough to trust, quickly, or just enough to see that it works."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Size:
    """Counts of one run. Everything is bounded by these, and each wait by `patience` seconds."""

    rounds: int
    taps: int
    orders: int
    few_timers: int
    many_timers: int
    sweep_rounds: int
    sweeps_a_round: int
    cards: int
    orders_a_second: int
    seconds: int
    trouble_rate: int
    calm_seconds: int
    trouble_seconds: int
    few_orders: int
    many_orders: int
    readings: int
    reading_rounds: int
    open_orders: int
    cancels: int
    patience: float = 240.0


FULL: Final = Size(
    rounds=5,
    taps=4_000,
    orders=4_000,
    few_timers=1_000,
    many_timers=1_000_000,
    sweep_rounds=20,
    sweeps_a_round=10,
    cards=5_000,
    orders_a_second=100,
    seconds=30,
    trouble_rate=20,
    calm_seconds=60,
    trouble_seconds=600,
    few_orders=10_000,
    many_orders=10_000_000,
    readings=100,
    reading_rounds=20,
    open_orders=100_000,
    cancels=1_000,
)
QUICK: Final = Size(
    rounds=3,
    taps=1_500,
    orders=1_500,
    few_timers=1_000,
    many_timers=50_000,
    sweep_rounds=10,
    sweeps_a_round=10,
    cards=1_500,
    orders_a_second=100,
    seconds=8,
    trouble_rate=20,
    calm_seconds=15,
    trouble_seconds=30,
    few_orders=10_000,
    many_orders=300_000,
    readings=50,
    reading_rounds=8,
    open_orders=20_000,
    cancels=1_000,
)
#: For the test of the benchmark itself; its figures mean nothing.
SMOKE: Final = Size(
    rounds=1,
    taps=80,
    orders=40,
    few_timers=300,
    many_timers=1_200,
    sweep_rounds=1,
    sweeps_a_round=2,
    cards=40,
    orders_a_second=20,
    seconds=2,
    trouble_rate=10,
    calm_seconds=2,
    trouble_seconds=2,
    few_orders=200,
    many_orders=600,
    readings=3,
    reading_rounds=1,
    open_orders=300,
    cancels=40,
    patience=60.0,
)
SIZES: Final = {"full": FULL, "quick": QUICK, "smoke": SMOKE}
