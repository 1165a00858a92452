"""Told at least once: notices become messages, messages are claimed, tried and settled."""

from core.outbox.claims import LEASE, answers_to, claim, drop, due, let_go, must_give_way, postpone, read
from core.outbox.receipts import receipt, take_early
from core.outbox.routes import route
from core.outbox.settling import OUTCOME_NAMES, RECEIPT_WITHIN, Attempt, give_way, pass_over, settle
from core.outbox.ways import Due, Ways

__all__ = [
    "LEASE",
    "OUTCOME_NAMES",
    "RECEIPT_WITHIN",
    "Attempt",
    "Due",
    "Ways",
    "answers_to",
    "claim",
    "drop",
    "due",
    "give_way",
    "let_go",
    "must_give_way",
    "pass_over",
    "postpone",
    "read",
    "receipt",
    "route",
    "settle",
    "take_early",
]
