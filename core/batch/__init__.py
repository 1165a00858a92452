"""One transaction of the ledger: what a batch of commands reads, decides and writes."""

from core.batch.batch import Batch
from core.batch.changes import Changes
from core.batch.free_codes import CODE_RESTS
from core.batch.request import Request, StaffRef
from core.orders.codes import CODES

__all__ = ["CODES", "CODE_RESTS", "Batch", "Changes", "Request", "StaffRef"]
