"""Sluice beside naive Postgres and DuckDB over Parquet: the same awards, the same questions, in one run.

    pip install -r requirements-bench.txt
    python -m bench.contracts --rows 5500000 [--quick] [--json FILE]

Every engine loads the same CSV file by itself and is asked every question. Counts, rows and chart series must be equal,
else the run ends at once. Wall times are the best of some runs, CPU times are of all that worked for the engine (for
Postgres the backend and its parallel workers) in the mean. Exit code 1 when a bar is missed. With 5.5 million rows it
takes most of an hour, 15 GB of disk and 4 GB of memory, and best a machine that does nothing else. `--quick` asks the
other engines once, leaves out the crowd and leaves the machine's page cache as it is.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
import psycopg2

from bench.contract_crowd import PAUSE_S, Crowd, Orders, watch
from bench.contract_engines import duck, naive, sluice
from bench.contract_engines.engine import Answer, ChartAnswer, Engine
from bench.contract_questions import CHARTS, MEASURES, PAGES, TOP, Picks, Question, bar_ms, questions
from bench.contract_rows import write_csv
from bench.contract_server import Server, running_server
from localstack.errors import Interrupted, LocalStackError
from localstack.supervise import interruptible

SEED = 7
# Each question is asked again until it was asked so often, or for so long.
ROUNDS, PATIENCE_S = 20, 3.0
CLIENTS, CROWD_S = 16, 20.0
# Of a word that is to be rare.
RARE_ROWS = 100
LOAD_BAR_S, WORKER_BAR_MB, CROWD_BAR = 600.0, 512.0, 3.0
# What is asked first after a restart.
COLD = (("common word", "page 1"), ("two words", CHARTS), ("organization", "page 1"), ("no filter", CHARTS))
NOTES = [
    "rows are made up (bench.contract_rows); every engine reads the same CSV file and was asked on this machine",
    f"wall: best of up to {ROUNDS} runs, warm; CPU: mean of them, of the backend and its parallel workers, or of "
    "DuckDB's threads in this process",
    "Sluice's times are of the whole search: looking up words and names, the rows, and reading the answer in Python",
    "a crowd asks all that has a bar of its own, at random",
    f"clients pause {PAUSE_S:g} s on average between two questions, or not at all; without a pause {CLIENTS} clients "
    f"keep all N processors busy: on average an answer takes {CLIENTS}/N times what it takes alone, whatever the order",
]


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long an answer took."""

    wall_ms: float
    cpu_ms: float | None
    runs: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One answer in every engine; ratios are of wall times to Sluice's."""

    question: str
    measure: str
    matches: int
    engines: dict[str, Timing]
    times_slower: dict[str, float]
    bar_ms: float | None
    holds: bool | None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Something else that has a bar."""

    name: str
    value: float
    unit: str
    bar: float
    holds: bool


class Cold(msgspec.Struct, frozen=True, kw_only=True):
    """The first answer after a restart."""

    question: str
    measure: str
    ms: dict[str, float]


class Report(msgspec.Struct, kw_only=True):
    """All that was seen."""

    rows: int
    notes: list[str]
    machine: dict[str, Any]
    load: sluice.LoadCost
    load_server_cpu_s: float
    loads_s: dict[str, float]
    disk_mb: dict[str, float]
    lines: list[Line]
    cold_is: str = ""
    cold: list[Cold] = []
    crowds: list[Crowd] = []
    checks: list[Check] = []

    @property
    def missed(self) -> list[str]:
        return [f"{line.question}, {line.measure}" for line in self.lines if line.holds is False] + [
            check.name for check in self.checks if not check.holds
        ]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be measured."""

    rows: int
    is_quick: bool = False
    with_duckdb: bool = True
    state: Path = Path(".local") / "bench" / "contracts"


def measure(options: Options, tell: Callable[[str], None]) -> Report:
    """Loads, asks and compares; raises AssertionError where two engines answer differently."""
    if options.with_duckdb:
        duck.connect().close()
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="sluice-bench-")))
        file = folder / "awards.csv"
        write_csv(file, options.rows, SEED)
        tell(f"{options.rows} rows made, {file.stat().st_size / 1e6:.0f} MB as CSV")
        server = cleanup.enter_context(running_server(options.state))
        report = _load(options, server, file, tell)
        asked = questions(_picks(server.dsn, report.load.version))
        _ask_all(options, server, folder, (report, asked), tell)
        _crowd(options, server, (report, asked), tell)
    _check(options, report)
    report.machine["load_1m_end"] = round(os.getloadavg()[0], 2)
    return report


def compare(engines: Sequence[Engine], question: Question, name: str, *, is_quick: bool) -> Line:
    """Asks all engines the same, Sluice first; raises AssertionError where two answer differently."""
    answers, timings = dict[str, Answer](), dict[str, Timing]()
    for engine in engines:
        rounds = 1 if is_quick and engine.name != "sluice" else ROUNDS
        answers[engine.name], timings[engine.name] = _time(engine, question, name, rounds)
    first = answers["sluice"]
    for engine in engines:
        assert answers[engine.name] == first, _difference(
            question, name, {"sluice": first, engine.name: answers[engine.name]}
        )
    matches = first.count if isinstance(first, ChartAnswer) else first.total
    mine, bar = timings["sluice"].wall_ms, bar_ms(question, name, matches)
    return Line(
        question=question.name,
        measure=name,
        matches=matches,
        engines=timings,
        times_slower={each: round(timings[each].wall_ms / mine, 1) for each in timings if each != "sluice"},
        bar_ms=bar,
        holds=None if bar is None else mine <= bar,
    )


def _load(options: Options, server: Server, file: Path, tell: Callable[[str], None]) -> Report:
    machine = {"cores": os.cpu_count(), "load_1m_start": round(os.getloadavg()[0], 2)}
    before_s = server.ended_cpu_s()
    # A process of its own, whose memory is that of the load alone.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        cost = pool.submit(sluice.load, server.dsn, file).result()
    server_cpu_s = round(server.ended_cpu_s() - before_s, 1)
    for phase, spent_s in cost.phases_s.items():
        tell(f"  {phase:<12}{spent_s:>8.1f} s")
    tell(f"  CPU: {cost.worker_cpu_s} s of the load's process, {server_cpu_s} s of Postgres")
    loads_s = {"sluice": round(sum(cost.phases_s.values()), 1)}
    disk_mb = _relations_mb(server.dsn, cost.version)
    began = time.perf_counter()
    disk_mb["naive table"] = round(naive.load(server.dsn, file) / 1e6, 1)
    loads_s[naive.NaiveEngine.name] = round(time.perf_counter() - began, 1)
    if options.with_duckdb:
        began = time.perf_counter()
        disk_mb["parquet"] = round(duck.load(file, _parquet(file.parent)) / 1e6, 1)
        loads_s[duck.DuckEngine.name] = round(time.perf_counter() - began, 1)
    tell(f"loaded: {loads_s}")
    return Report(
        rows=options.rows,
        notes=NOTES,
        machine=machine,
        load=cost,
        load_server_cpu_s=server_cpu_s,
        loads_s=loads_s,
        disk_mb=disk_mb,
        lines=[],
    )


def _parquet(folder: Path) -> Path:
    return folder / "awards.parquet"


def _relations_mb(dsn: str, version: int) -> dict[str, float]:
    """Bytes on disk of each table with its indexes, and of all."""
    text = (
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class "
        f"WHERE relkind = 'r' AND relnamespace = 'contracts_v{version:d}'::regnamespace ORDER BY 2 DESC"
    )
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(text)
        found = [(str(name), float(size)) for name, size in cursor.fetchall()]
    sizes = {"sluice": sum(size for _, size in found), **{f"sluice.{name}": size for name, size in found}}
    return {name: round(size / 1e6, 1) for name, size in sizes.items()}


def _picks(dsn: str, version: int) -> Picks:
    schema = f"contracts_v{version:d}"
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            f"SELECT token FROM {schema}.word WHERE length(token) > 5 ORDER BY abs(df - {RARE_ROWS}), token LIMIT 1"
        )
        ((word,),) = cursor.fetchall()
        cursor.execute(f"SELECT name FROM {schema}.organization ORDER BY awards DESC, id LIMIT 1")
        ((organization,),) = cursor.fetchall()
    return Picks(rare_word=word, organization=organization)


def _ask_all(
    options: Options, server: Server, folder: Path, about: tuple[Report, list[Question]], tell: Callable[[str], None]
) -> None:
    report, asked = about

    def engines() -> list[Engine]:
        others: list[Engine] = [duck.DuckEngine(_parquet(folder))] if options.with_duckdb else []
        return [sluice.SluiceEngine(server.dsn, report.load.version), naive.NaiveEngine(server.dsn), *others]

    opened = engines()
    for question in asked:
        for name in MEASURES:
            report.lines.append(compare(opened, question, name, is_quick=options.is_quick))
            tell(_written(report.lines[-1]))
    for engine in opened:
        engine.close()
    by_name = {question.name: question for question in asked}
    for name, wanted in COLD:
        report.cold_is = server.make_cold(forgets_files=not options.is_quick)
        opened = [engine for engine in engines() if engine.name != naive.NaiveEngine.name]
        times = {engine.name: _first_ms(engine, by_name[name], wanted) for engine in opened}
        for engine in opened:
            engine.close()
        report.cold.append(Cold(question=name, measure=wanted, ms=times))
        tell(f"cold: {name}, {wanted}: {times}")


def _difference(question: Question, name: str, answers: dict[str, Answer]) -> str:
    """Where two answers part, in words."""
    said = [msgspec.json.encode(answer).decode() for answer in answers.values()]
    place = next((n for n, pair in enumerate(zip(*said, strict=False)) if len(set(pair)) > 1), min(map(len, said)))
    parts = {each: text[max(0, place - 200) : place + 100] for each, text in zip(answers, said, strict=True)}
    return f"{question.name}, {name}: engines answer differently: {parts}"


def _time(engine: Engine, question: Question, name: str, rounds: int) -> tuple[Answer, Timing]:
    """Asks once to have everything in memory where that is quick, then some times; the last answer is told."""
    best_s, runs, began, before = float("inf"), 0, time.perf_counter(), engine.cpu_s()
    while True:
        asked = time.perf_counter()
        answer = _answer(engine, question, name)
        spent_s = time.perf_counter() - asked
        best_s, runs = min(best_s, spent_s), runs + 1
        if runs >= rounds or time.perf_counter() - began > PATIENCE_S:
            break
    after = engine.cpu_s()
    cpu_ms = None if before is None or after is None else round(1000 * (after - before) / runs, 1)
    return answer, Timing(wall_ms=max(round(1000 * best_s, 4), 0.0001), cpu_ms=cpu_ms, runs=runs)


def _answer(engine: Engine, question: Question, name: str) -> Answer:
    if name == CHARTS:
        return engine.charts(question.filters, TOP)
    return engine.page(question.filters, *PAGES[name])


def _first_ms(engine: Engine, question: Question, name: str) -> float:
    engine.cpu_s()  # connects
    began = time.perf_counter()
    _answer(engine, question, name)
    return round(1000 * (time.perf_counter() - began), 1)


def _crowd(options: Options, server: Server, about: tuple[Report, list[Question]], tell: Callable[[str], None]) -> None:
    if options.is_quick:
        return
    report, asked = about
    by_name = {question.name: question for question in asked}
    wanted = [(by_name[line.question], line.measure) for line in report.lines if line.bar_ms is not None]
    for clients, pause_s in ((1, 0.0), (1, PAUSE_S), (CLIENTS, PAUSE_S), (CLIENTS, 0.0)):
        orders = Orders(
            dsn=server.dsn, version=report.load.version, asked=wanted, seconds=CROWD_S * (1 + pause_s), pause_s=pause_s
        )
        report.crowds.append(watch(clients, orders))
        tell(f"crowd: {report.crowds[-1]}")


def _check(options: Options, report: Report) -> None:
    load = report.load
    report.checks = [
        _checked("load, indexes and sums included", report.loads_s["sluice"], "s", LOAD_BAR_S),
        _checked("peak memory of the load's process", load.worker_peak_mb, "MB", WORKER_BAR_MB),
    ]
    alone = next((crowd for crowd in report.crowds if crowd.clients == 1), None)
    for crowd in report.crowds:
        if alone is not None and crowd.clients > 1:
            said = f"pause {crowd.pause_s:g} s" if crowd.pause_s else "no pause"
            value = round(crowd.p95_ms / alone.p95_ms, 2)
            report.checks.append(_checked(f"p95 of {crowd.clients} clients ({said}) / of one", value, "x", CROWD_BAR))


def _checked(name: str, value: float, unit: str, bar: float) -> Check:
    return Check(name=name, value=value, unit=unit, bar=bar, holds=value <= bar)


def table(report: Report) -> str:
    """The report as a person reads it."""
    lines = [f"{report.rows} rows; {report.machine}", *report.notes, ""]
    lines += [f"load {phase:<14}{spent_s:>9.1f} s" for phase, spent_s in report.load.phases_s.items()]
    lines += [
        f"load CPU: {report.load.worker_cpu_s} s of its process, {report.load_server_cpu_s} s of Postgres; "
        f"peak memory of its process {report.load.worker_peak_mb} MB"
    ]
    lines += [f"load of {name:<16}{spent_s:>9.1f} s" for name, spent_s in report.loads_s.items()]
    lines += [f"disk {name:<24}{size:>9.1f} MB" for name, size in report.disk_mb.items()]
    lines += ["", *map(_written, report.lines), ""]
    lines += [f"first after a restart ({report.cold_is})"] if report.cold else []
    lines += [f"  {cold.question:<18}{cold.measure:<11}{cold.ms} ms" for cold in report.cold]
    lines += [
        f"{crowd.clients:>3} clients, pause {crowd.pause_s:g} s: p50 {crowd.p50_ms} ms, p95 {crowd.p95_ms} ms, "
        f"{crowd.answers_per_s} answers/s"
        for crowd in report.crowds
    ]
    lines += [
        f"{check.name}: {check.value:g} {check.unit}, bar {check.bar:g} {'holds' if check.holds else 'MISSED'}"
        for check in report.checks
    ]
    return "\n".join(lines)


def _written(line: Line) -> str:
    times = "  ".join(
        f"{name} {timing.wall_ms:>9.1f} ms (CPU {timing.cpu_ms if timing.cpu_ms is not None else '?':>8})"
        for name, timing in line.engines.items()
    )
    ratios = "  ".join(f"{value:>8.1f} x {name}" for name, value in line.times_slower.items())
    verdict = "no bar" if line.bar_ms is None else f"<= {line.bar_ms:g} {'holds' if line.holds else 'MISSED'}"
    return f"{line.question:<18}{line.measure:<11}{line.matches:>9}  {times}  {ratios}  {verdict}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; answers 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.contracts")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--quick", action="store_true", help="ask others once, no crowd, page cache left as it is")
    parser.add_argument("--without-duckdb", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    said = parser.parse_args(arguments)
    options = Options(rows=said.rows, is_quick=said.quick, with_duckdb=not said.without_duckdb)
    try:
        with interruptible():
            report = measure(options, lambda line: print(line, file=sys.stderr, flush=True))
    except Interrupted as interrupted:
        return interrupted.exit_code
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table(report))
    if said.json:
        said.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    for name in report.missed:
        print(f"missed: {name}", file=sys.stderr)
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
