"""Spans on their way to a collector (OTLP over HTTP). Imported only where one is set."""

import logging
import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from core import metrics
from core.tracing import Facts

#: So much waits for the collector; beyond that the oldest is let go: one that is away costs nothing else.
_MOST_WAITING: Final = 2_048
_AT_ONCE: Final = 512
_EVERY_MS: Final = 2_000
_WITHIN: Final = 3.0
_SCOPE: Final = InstrumentationScope("chotdon")
_LOW_BITS: Final = (1 << 64) - 1


class Otlp:
    """Hands spans to a collector, in batches, from a thread of its own."""

    def __init__(self, url: str, *, process: str) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # its failures are counted, not told
        session = requests.Session()
        session.trust_env = False
        exporter = OTLPSpanExporter(endpoint=url, timeout=_WITHIN, session=session)
        self._resource = Resource({"service.name": f"chotdon-{process}"})
        self._ids = RandomIdGenerator()
        self._processor = BatchSpanProcessor(
            _Counted(exporter),
            max_queue_size=_MOST_WAITING,
            max_export_batch_size=_AT_ONCE,
            schedule_delay_millis=_EVERY_MS,
            export_timeout_millis=_WITHIN * 1000,
        )

    def record(self, name: str, order_id: UUID, began: int, facts: Facts) -> None:
        """Put a span into line; whatever goes wrong is nobody's trouble here."""
        span = ReadableSpan(
            name,
            context=_context(order_id, self._ids.generate_span_id()),
            parent=_context(order_id, order_id.int & _LOW_BITS, is_remote=True),
            resource=self._resource,
            attributes={"chotdon.order": str(order_id), **{f"chotdon.{key}": facts[key] for key in facts}},
            kind=SpanKind.INTERNAL,
            start_time=began,
            end_time=time.time_ns(),
            instrumentation_scope=_SCOPE,
        )
        self._processor.on_end(span)

    def close(self) -> None:
        """Hand over what waits, then end. Blocks for a few seconds at most: call it from a thread."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]  # the library leaves it untyped


class _Counted(SpanExporter):
    """Hands over to another exporter and counts what it fails to take."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._exporter.export(spans)
        except Exception:  # noqa: BLE001  (a thread's outermost call: a collector is not worth a stack trace)
            result = SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            metrics.FAILED_TRACES.inc()
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _context(order_id: UUID, span_id: int, *, is_remote: bool = False) -> SpanContext:
    return SpanContext(order_id.int, span_id or 1, is_remote, TraceFlags(TraceFlags.SAMPLED))
