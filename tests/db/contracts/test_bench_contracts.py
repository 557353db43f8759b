"""The bench that sets Sluice beside other engines, over few rows: figures mean nothing there, answers do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.contract_engines import duck
from bench.contract_engines.engine import ChartAnswer, PageAnswer
from bench.contract_questions import CHARTS, MEASURES, Question, bar_ms
from bench.contract_rows import rows
from bench.contracts import Options, Report, compare, measure, table
from chalicelib.search.filters import Filters
from chalicelib.search.paging import Order, Page

ROWS = 2_000


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    state = tmp_path_factory.mktemp("bench")
    options = Options(rows=ROWS, is_quick=True, with_duckdb=duck.is_installed(), state=state)
    return measure(options, lambda _line: None)


def count(has: Callable[[str], bool]) -> int:
    """How many of the rows have a title for which that holds."""
    return sum(has(f"{row['award_title']} {row['notice_title']}".lower()) for row in rows(ROWS, 7))


def test_every_question_is_asked_of_every_engine_and_found_to_have_the_same_rows(report: Report) -> None:
    assert len(report.lines) == 11 * len(MEASURES)
    engines = {"sluice", "naive Postgres", *(["DuckDB"] if duck.is_installed() else [])}
    assert all(line.engines.keys() == engines for line in report.lines)
    matches = {line.question: line.matches for line in report.lines}
    assert matches["no filter"] == ROWS
    assert matches["one year"] == sum(row["award_date"].startswith("2025") for row in rows(ROWS, 7))
    assert matches["common word"] == count(lambda text: "construction" in text)
    assert matches["two words"] == count(lambda text: "construction" in text and "school" in text)
    assert matches["phrase"] == count(lambda text: "flood control" in text)
    assert matches["phrase of 4 words"] == count(lambda text: "supply and delivery of" in text)
    building = "construction of multi-purpose building"
    assert matches["phrase of 5 words"] == count(lambda text: building in text)
    assert 0 < matches["rare word"] < matches["common word"]
    assert all(matches[name] > 0 for name in ("organization", "area and year", "value range"))


def test_duckdb_answers_as_the_others_do(report: Report) -> None:
    if not duck.is_installed():
        pytest.skip("DuckDB was not compared: pip install -r requirements-bench.txt")
    assert all(line.engines["DuckDB"].runs > 0 for line in report.lines)
    assert [sorted(cold.ms) for cold in report.cold] == [["DuckDB", "sluice"]] * 4


def test_report_tells_what_loading_cost_and_which_bars_were_missed(report: Report) -> None:
    assert report.load.phases_s.keys() >= {"stage", "words", "grams", "indexes", "sums", "publish"}
    assert report.load.worker_peak_mb > 10
    assert report.disk_mb["sluice"] > report.disk_mb["sluice.fact"] > 0
    text = table(report)
    assert all(line.question in text for line in report.lines)
    held = {line.holds for line in report.lines if f"{line.question}, {line.measure}" not in report.missed}
    assert False not in held


def test_bars_are_for_any_page_and_for_charts_and_orders_of_so_many_rows() -> None:
    plain, word = (
        Question(name="plain", filters=Filters()),
        Question(name="word", filters=Filters(), prepared_from=50_000),
    )
    assert [bar_ms(plain, measure, 200_000) for measure in MEASURES] == [50, 50, 300, 300, 300]
    assert [bar_ms(plain, measure, 200_001) for measure in MEASURES] == [50, 50, None, None, None]
    assert [bar_ms(word, CHARTS, rows) for rows in (49_999, 50_000, 1_000_000)] == [300, 5, 5]


class Fixed:
    """An engine that knows one answer."""

    def __init__(self, name: str, total: int) -> None:
        self.name = name
        self._total = total

    def page(self, filters: Filters, page: Page, order: Order) -> PageAnswer:
        return PageAnswer([], self._total)

    def charts(self, filters: Filters, most: int) -> ChartAnswer:
        return ChartAnswer(self._total, 0, {})

    def cpu_s(self) -> float | None:
        return None

    def close(self) -> None:
        return


@pytest.mark.parametrize("measure", MEASURES)
def test_engines_that_answer_differently_end_the_bench(measure: str) -> None:
    question = Question(name="anything", filters=Filters())
    assert compare([Fixed("sluice", 3), Fixed("other", 3)], question, measure, is_quick=True).matches == 3
    with pytest.raises(AssertionError, match=f"anything, {measure}: engines answer differently"):
        compare([Fixed("sluice", 3), Fixed("other", 4)], question, measure, is_quick=True)
