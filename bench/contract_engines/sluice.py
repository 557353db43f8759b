"""Sluice itself: the load that the import job runs, and the searches that its workers and routes run."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import IO

import msgspec

from bench.contract_engines.engine import ChartAnswer, Group, PageAnswer, centavos
from bench.contract_engines.processes import PostgresCpu
from chalicelib.clock import Clock
from chalicelib.db.connect import Database, Turns
from chalicelib.db.contracts.load import PHASES, run_phase
from chalicelib.db.contracts.search import ContractSearch
from chalicelib.db.contracts.versions import Versions
from chalicelib.db.migrate import migrate
from chalicelib.jobs.context import Unwatched
from chalicelib.search.award_file import AwardFile
from chalicelib.search.filters import Filters
from chalicelib.search.paging import Order, Page


class LoadCost(msgspec.Struct, frozen=True, kw_only=True):
    """What a load took: seconds by phase, and the most memory that its process held."""

    version: int
    phases_s: dict[str, float]
    worker_peak_mb: float
    worker_cpu_s: float


def load(dsn: str, file: Path, tell: Callable[[str], None] = lambda _line: None) -> LoadCost:
    """Loads a CSV file in this process, which is to do nothing else, as its peak memory is told."""
    clock, phases_s = Clock(), {}
    source = AwardFile(lambda byte: _open_at(file, byte), file.stat().st_size)
    migrate(dsn)
    with closing(Database(dsn)) as database:
        version = Versions(database).begin("bench")
    for phase in PHASES:
        began_s = clock.now()
        while not run_phase(phase, dsn, version, Unwatched(None, ""), source=source):
            pass
        phases_s[phase] = round(clock.now() - began_s, 1)
        tell(f"loaded: {phase} {phases_s[phase]} s")
    used = resource.getrusage(resource.RUSAGE_SELF)
    # In bytes on macOS, else in units of 1024.
    peak_mb = used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)
    cpu_s = round(used.ru_utime + used.ru_stime, 1)
    return LoadCost(version=version, phases_s=phases_s, worker_peak_mb=round(peak_mb, 1), worker_cpu_s=cpu_s)


class SluiceEngine:
    """Asks as the service does: the words of the filters are looked up, then the rows, each within one transaction."""

    name = "sluice"

    def __init__(self, dsn: str, version: int) -> None:
        self._database = Database(dsn, Turns(os.cpu_count() or 1))
        self._version = version
        self._search = ContractSearch(self._database)
        self._cpu = PostgresCpu()

    def page(self, filters: Filters, page: Page, order: Order) -> PageAnswer:
        found, total = self._search.page(self._version, filters, page, order)
        rows = [
            (
                award.contract_no,
                award.award_date,
                award.award_title,
                award.notice_title,
                award.awardee_name,
                award.organization_name,
                award.area_of_delivery,
                award.business_category,
                centavos(award.contract_amount),
            )
            for award in found
        ]
        return PageAnswer(rows, total)

    def charts(self, filters: Filters, most: int) -> ChartAnswer:
        series = self._search.series(self._version, filters, most)
        groups: dict[str, list[Group]] = {
            "year": [(str(each.year), centavos(each.total_value), each.count) for each in series.by_year],
            "month": [(each.month, centavos(each.total_value), each.count) for each in series.by_month],
        }
        for name, found in (
            ("awardee", series.by_contractor),
            ("organization", series.by_organization),
            ("area", series.by_area),
            ("category", series.by_category),
        ):
            groups[name] = [(each.label, centavos(each.total_value), each.count) for each in found]
        (summary,) = series.summary
        return ChartAnswer(summary.count, centavos(summary.total_value), groups)

    def cpu_s(self) -> float | None:
        with self._database.transaction() as cursor:
            return self._cpu.spent_s(cursor)

    def close(self) -> None:
        self._database.close()


def _open_at(file: Path, byte: int) -> IO[bytes]:
    opened = file.open("rb")
    opened.seek(byte)
    return opened
