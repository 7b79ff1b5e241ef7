"""What the workbench counts for whoever watches it: requests, tasks and sign-ins, and no names."""

from __future__ import annotations

import time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from queries.workbench.tasks import Tasks

#: The type of the Prometheus text format.
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_RESULTS: Final = ("1xx", "2xx", "3xx", "4xx", "5xx")


class Metrics:
    """The counts of one served workbench, since it was started."""

    def __init__(self, tasks: Tasks) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "foidex_workbench_requests",
            "Requests answered, by the class of their status.",
            ["result"],
            registry=self._registry,
        )
        for result in _RESULTS:  # so that a rate is known from the first one on
            self._requests.labels(result)
        self._seconds = Histogram(
            "foidex_workbench_request_seconds",
            "How long requests took.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._refused_sign_ins = Counter(
            "foidex_workbench_sign_ins_refused",
            "Requests to sign in, or of nobody that the proxy signed in, that were refused.",
            registry=self._registry,
        )
        self._refused_roles = Counter(
            "foidex_workbench_roles_refused",
            "Requests for what the role of someone who is signed in may not do.",
            registry=self._registry,
        )
        self._registry.register(_TaskCollector(tasks))

    def count_request(self, status: int, seconds: float) -> None:
        """Count a request that was answered, or that failed (500)."""
        self._requests.labels(f"{status // 100}xx").inc()
        self._seconds.observe(seconds)

    def count_refused_sign_in(self) -> None:
        """Count someone who was not signed in."""
        self._refused_sign_ins.inc()

    def count_refused_role(self) -> None:
        """Count someone whose role may not do what they asked for."""
        self._refused_roles.inc()

    def format(self) -> bytes:
        """All counts, in the Prometheus text format."""
        return generate_latest(self._registry)


class _TaskCollector(Collector):
    """What the tasks are at when they are asked for."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    def collect(self) -> list[GaugeMetricFamily]:
        """The tasks by their state."""
        family = GaugeMetricFamily(
            "foidex_workbench_tasks",
            "Work in the background: running, waiting to begin, and ended since the start.",
            labels=["state"],
        )
        for state, number in self._tasks.count_states().items():
            family.add_metric([state], number)
        return [family]


class CountRequests:
    """Counts each request by the class of its status. ASGI middleware, outside all others."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin = time.monotonic()
        status = 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            self._metrics.count_request(status, time.monotonic() - begin)
