"""What the service counts. In several processes the counts are merged through a folder of files.

`PROMETHEUS_MULTIPROC_DIR` names that folder and must be set before this module is imported.
"""

from typing import Final

from prometheus_client import Counter, Histogram

ORDERS: Final = Counter("chotdon_orders", "Orders that entered a status", ["status"])
MESSAGES: Final = Counter("chotdon_messages", "Calls to gateways", ["channel", "kind", "outcome"])
REJECTED: Final = Counter("chotdon_webhook_rejected", "Inbound requests refused", ["channel", "reason"])
INBOUND: Final = Counter("chotdon_inbound", "Inbound events by what they were", ["channel", "what"])
WEBHOOKS: Final = Counter("chotdon_platform_webhooks", "Calls to platforms", ["outcome"])
FAILED_WAKES: Final = Counter("chotdon_failed_wakes", "Times the worker could not be woken after a commit")
ALARMS: Final = Counter("chotdon_alarms", "Alarms raised, by whom they are about", ["about"])
TIMER_LATENESS: Final = Histogram(
    "chotdon_timer_lateness_seconds",
    "How late timers fired, in product time",
    buckets=(0.1, 1, 5, 10, 20, 30, 60, 300, 900, 3600),
)
TAP: Final = Histogram(
    "chotdon_tap_seconds",
    "From an inbound event to its commit and answer",
    ["channel"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 5),
)
