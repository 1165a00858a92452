"""What the service counts. In several processes the counts are merged through a folder of files.

`PROMETHEUS_MULTIPROC_DIR` names that folder and must be set before this module is imported.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

ORDERS: Final = Counter("chotdon_orders", "Orders that entered a status", ["status"])
MESSAGES: Final = Counter("chotdon_messages", "Calls to gateways", ["channel", "kind", "outcome"])
REJECTED: Final = Counter("chotdon_webhook_rejected", "Inbound requests refused", ["channel", "reason"])
INBOUND: Final = Counter("chotdon_inbound", "Inbound events by what they were", ["channel", "what"])
WEBHOOKS: Final = Counter("chotdon_platform_webhooks", "Calls to platforms", ["outcome"])
FAILED_WAKES: Final = Counter("chotdon_failed_wakes", "Times the worker could not be woken after a commit")
ALARMS: Final = Counter("chotdon_alarms", "Alarms raised, by whom they are about", ["about"])
COMMANDS: Final = Counter("chotdon_commands", "Commands that did something", ["channel", "command"])
RUNGS: Final = Counter(
    "chotdon_messages_by_rung", "Messages that were sent, first ones and later", ["channel", "rung"]
)
COST: Final = Counter("chotdon_cost_dong", "What gateways are paid, in đồng, where it is known", ["channel"])
FAILED_HEARTBEATS: Final = Counter("chotdon_failed_heartbeats", "Calls to the outside monitor that failed")
FAILED_TRACES: Final = Counter("chotdon_failed_traces", "Batches of spans that could not be handed over")
NOTICE_TO_TAP: Final = Histogram(
    "chotdon_notice_to_tap_seconds",
    "From the first message that asked to the confirmation, in product time",
    ["channel"],
    buckets=(15, 60, 180, 300, 600, 900, 1800, 3600, 7200, 14400, 86400),
)
BATCH_SIZE: Final = Histogram(
    "chotdon_ledger_batch_size", "Commands in one transaction", buckets=(1, 2, 5, 10, 20, 50, 100)
)
COMMIT: Final = Histogram(
    "chotdon_ledger_commit_seconds",
    "From the first statement of a batch to its commit",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
POOL: Final = Gauge(
    "chotdon_pool_connections",
    "Connections to the database, of every process of the machine",
    ["state"],
    multiprocess_mode="livesum",
)
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
