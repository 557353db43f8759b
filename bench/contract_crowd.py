"""Clients who ask Sluice at the same time, each a process with a connection of its own."""

from __future__ import annotations

import random
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context

import msgspec

from bench.contract_engines.sluice import SluiceEngine
from bench.contract_questions import CHARTS, PAGES, TOP, Question

# Between two answers and the next question, on average, as somebody who looks at a page takes.
PAUSE_S = 1.0
_START_S = 4.0


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What each client is to do; `pause_s` is how long it looks at an answer on average."""

    dsn: str
    version: int
    asked: list[tuple[Question, str]]
    seconds: float
    pause_s: float


class Crowd(msgspec.Struct, frozen=True, kw_only=True):
    """What so many clients have seen."""

    clients: int
    pause_s: float
    answers: int
    answers_per_s: float
    p50_ms: float
    p95_ms: float


def ask(engine: SluiceEngine, question: Question, measure: str) -> object:
    """One answer."""
    if measure == CHARTS:
        return engine.charts(question.filters, TOP)
    return engine.page(question.filters, *PAGES[measure])


def watch(clients: int, orders: Orders) -> Crowd:
    """Has so many clients ask at the same time."""
    with ProcessPoolExecutor(clients, mp_context=get_context("spawn")) as pool:
        begin_s = time.time() + _START_S
        work = msgspec.json.encode(orders)
        seen = [ms for each in pool.map(_ask_on, *zip(*[(work, n, begin_s) for n in range(clients)], strict=True))
                for ms in each]  # fmt: skip
    twentieths = statistics.quantiles(seen, n=20, method="inclusive")
    return Crowd(
        clients=clients,
        pause_s=orders.pause_s,
        answers=len(seen),
        answers_per_s=round(len(seen) / orders.seconds, 1),
        p50_ms=round(twentieths[9], 1),
        p95_ms=round(twentieths[18], 1),
    )


def _ask_on(work: bytes, number: int, begin_s: float) -> list[float]:
    orders, rng, seen = msgspec.json.decode(work, type=Orders), random.Random(number), list[float]()
    with closing(SluiceEngine(orders.dsn, orders.version)) as engine:
        engine.cpu_s()  # connects
        time.sleep(max(0.0, begin_s - time.time()) + rng.random() * orders.pause_s)
        while time.time() < begin_s + orders.seconds:
            for question, measure in rng.sample(orders.asked, len(orders.asked)):
                if time.time() >= begin_s + orders.seconds:
                    break
                began = time.perf_counter()
                ask(engine, question, measure)
                seen.append(1000 * (time.perf_counter() - began))
                time.sleep(rng.uniform(0, 2 * orders.pause_s))
    return seen
