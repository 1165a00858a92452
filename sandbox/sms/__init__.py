"""SMS gateways of our own: three vendors' endpoints, and the people who hold the phones."""

from sandbox.sms.esms import FakeEsms
from sandbox.sms.gateway import (
    BEFORE_ANSWER,
    DELIVERED,
    DUPLICATE,
    FAILED,
    NO_RECEIPTS,
    REVERSED,
    Receipts,
    SmsFake,
    Step,
)
from sandbox.sms.phone import Sms, SmsPhone
from sandbox.sms.speedsms import FakeSpeedSms
from sandbox.sms.twilio import FakeTwilio
from sandbox.sms.webhooks import Call, Delivery

__all__ = [
    "BEFORE_ANSWER",
    "DELIVERED",
    "DUPLICATE",
    "FAILED",
    "NO_RECEIPTS",
    "REVERSED",
    "Call",
    "Delivery",
    "FakeEsms",
    "FakeSpeedSms",
    "FakeTwilio",
    "Receipts",
    "Sms",
    "SmsFake",
    "SmsPhone",
    "Step",
]
