"""The made-up awards that tests and benches load."""

from __future__ import annotations

from itertools import pairwise

from bench.contract_rows import rows


def test_generated_rows_have_what_is_hard_about_real_ones() -> None:
    made = list(rows(5_000, 6))
    column = {name: [row[name] for row in made] for name in made[0]}
    blank = {name for name, values in column.items() if "" in values}
    assert blank == {"award_date", "notice_title", "organization_name", "area_of_delivery", "business_category"}
    assert {"1920", "2034"} <= {value[:4] for value in column["award_date"]}
    titles = "".join(column["award_title"])
    assert all(character in titles for character in "%_\\\"'\nÑ")
    names = column["awardee_name"]
    assert any("А" in name for name in names)
    assert any("  " in name for name in names)
    assert len({name.lower() for name in names}) < len(set(names))
    assert any(first == second for first, second in pairwise(made))


def test_same_seed_makes_the_same_rows_however_many() -> None:
    assert list(rows(30, 1)) == list(rows(10_001, 1))[:30]
    assert list(rows(30, 1)) != list(rows(30, 2))
    assert len(list(rows(10_001, 1))) == 10_001
