"""Timed work of a worker process: jobs that have one owner by a lease, and jobs that run everywhere and claim rows themselves."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from bookbag.chassis import measures
from bookbag.chassis.lease import Leases
from bookbag.chassis.problems import DependencyAway

if TYPE_CHECKING:
    from bookbag.chassis.runtime import Runtime
    from bookbag.chassis.service import Job

log = structlog.get_logger()


class Jobs:
    """The jobs of one service in one process. Run `run()` as a task."""

    def __init__(self, runtime: Runtime, jobs: list[Job], holder: str) -> None:
        self._runtime = runtime
        self._jobs = jobs
        alone = [job.name for job in jobs if job.alone]
        self._leases = Leases(runtime.across_schools, "job", alone, holder) if alone else None

    async def run(self) -> None:
        """Run every job in its rhythm until cancelled; a run that has begun is finished."""
        for job in self._jobs:
            measures.job_interval.labels(self._runtime.name, job.name).set(job.every.total_seconds())
        async with asyncio.TaskGroup() as group:
            if self._leases is not None:
                group.create_task(self._leases.keep(), name="job leases")
            for job in self._jobs:
                group.create_task(self._keep(job), name=job.name)

    async def _keep(self, job: Job) -> None:
        channel = job.wake or f"{self._runtime.name}:{job.name}"
        with self._runtime.wake.sleeper(channel) as sleeper:
            while True:
                if not job.alone or (self._leases is not None and self._leases.held_of(job.name) is not None):
                    await asyncio.shield(asyncio.create_task(self.once(job)))
                    await sleeper.wait(job.every.total_seconds())
                else:
                    await asyncio.sleep(min(1.0, job.every.total_seconds()))

    async def once(self, job: Job) -> None:
        """One run. A failure is logged and the next run tries again: jobs find their work in rows, so nothing is lost.

        A run is no trace of its own, or traces would be mostly of runs that found nothing: what it does for a row belongs to the trace
        of that row.
        """
        service, began = self._runtime.name, time.perf_counter()
        outcome = "done"
        try:
            await job.run(self._runtime)
        except DependencyAway as away:
            outcome = "away"
            log.warning("job waits", service=service, job=job.name, dependency=away.name)
        except Exception as error:
            outcome = "failed"
            log.error("job failed", service=service, job=job.name, error=type(error).__name__, exc_info=error)
        else:
            measures.job_success.labels(service, job.name).set_to_current_time()
        measures.job_time.labels(service, job.name, outcome).observe(time.perf_counter() - began)
