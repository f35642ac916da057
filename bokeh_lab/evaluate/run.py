"""Measure a plan: clip after clip, in one process or several; what an interrupted run finished is kept."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import replace
from itertools import groupby
from multiprocessing import active_children, connection, get_context, parent_process
from multiprocessing.queues import SimpleQueue
from typing import Any

import torch

from .measure import Event, Settings, is_done, measure_clip
from .plan import Bench, EvaluationPlan, Unit

_POLL_S = 0.2


def run(
    plan: EvaluationPlan, settings: Settings, report: Callable[[Event], None] = lambda _: None
) -> dict[str, str]:
    """Measure everything in the plan that is not measured yet.

    Args:
        plan: what to measure.
        settings: where to, and how many processes; each computes with one thread.
        report: told of every unit that is done or failed.

    Returns:
        Why units failed, by key; empty when none did. They are tried again by the next run.

    Raises:
        KeyboardInterrupt: passed on after the processes were ended; the folder is consistent.
    """
    failures: dict[str, str] = {}

    def on_event(event: Event) -> None:
        if event.unit is not None and event.failure is not None:
            failures[event.unit.key] = event.failure
        report(event)

    groups = [list(units) for _, units in groupby(plan.units, key=lambda unit: unit.clip_key)]
    groups = [units for units in groups if not all(is_done(unit, settings) for unit in units)]
    processes = min(settings.processes, len(groups))
    settings = replace(settings, processes=max(processes, 1))
    if processes > 1:
        _run_in_processes(groups, plan.bench, settings, on_event)
    else:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            for units in groups:
                measure_clip(units, plan.bench, settings, on_event)
        finally:
            torch.set_num_threads(threads)
    return failures


def _run_in_processes(
    groups: Sequence[list[Unit]], bench: Bench, settings: Settings, report: Callable[[Event], None]
) -> None:
    # A forked process would inherit torch's threads in an unknown state.
    context = get_context("spawn")
    messages: SimpleQueue[Event] = context.SimpleQueue()
    pool = ProcessPoolExecutor(
        settings.processes, mp_context=context, initializer=_start_process, initargs=(messages,)
    )
    try:
        waiting: set[Future[Any]] = {
            pool.submit(_measure_in_process, units, bench, settings) for units in groups
        }
        while waiting:
            done, waiting = wait(waiting, _POLL_S, FIRST_COMPLETED)
            _pass_on(messages, report)
            for future in done:
                future.result()
        _pass_on(messages, report)
        pool.shutdown()
    except BaseException:
        # Nothing half-written can remain: files appear by renaming.
        pool.shutdown(wait=False, cancel_futures=True)
        for child in active_children():
            child.terminate()
        raise


def _pass_on(messages: "SimpleQueue[Event]", report: Callable[[Event], None]) -> None:
    while not messages.empty():
        report(messages.get())


_messages: "SimpleQueue[Event] | None" = None


def _start_process(messages: "SimpleQueue[Event]") -> None:
    global _messages
    _messages = messages
    # Ctrl-C reaches every process of the terminal; the parent decides what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent cannot end its children, which would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _measure_in_process(units: Iterable[Unit], bench: Bench, settings: Settings) -> None:
    assert _messages is not None
    measure_clip(list(units), bench, settings, _messages.put)
