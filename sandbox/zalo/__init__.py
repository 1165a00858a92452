"""A Zalo Official Account of our own: the vendor's endpoints, and the people who hold the phones."""

from sandbox.zalo.fake import FakeZalo
from sandbox.zalo.person import Bubble, Person
from sandbox.zalo.templates import Param, Template
from sandbox.zalo.webhooks import Delivery, signature

__all__ = ["Bubble", "Delivery", "FakeZalo", "Param", "Person", "Template", "signature"]
