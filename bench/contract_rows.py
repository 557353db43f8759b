"""Awards of contracts in any number, made up, with the skew of the Philippine ones: `rows(count, seed)`.

No file from outside is needed. As in the real data some hundred names have most of the rows and a hundred thousand
have the rest, construction is a seventh of the rows and most of the money, and there are values that are missing,
years that are typing errors, names that only look alike, and rows that occur twice.

    python -m bench.contract_rows 20000 contracts.csv
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.contract_names import (
    AREAS,
    CATEGORIES,
    OTHER_CATEGORIES,
    OTHER_MEAN,
    WORDS,
    category_name,
    contractor_name,
    organization_name,
    word,
)

# Rows are made in chunks of their own seeds, so the first ones are the same whatever the count.
CHUNK = 10_000
COLUMNS = (
    "contract_number",
    "award_date",
    "award_title",
    "notice_title",
    "contract_amount",
    "awardee_name",
    "organization_name",
    "area_of_delivery",
    "business_category",
)
_CONTRACTORS, _ORGANIZATIONS, _COINED_WORDS = 127_000, 32_000, 40_000
_FIRST_YEAR, _YEARS = 2000, 26
# Of the amounts' logarithms: the mean is three times the median.
_SIGMA = 1.55

_WORKS = (
    "CONSTRUCTION OF",
    "REHABILITATION OF",
    "IMPROVEMENT OF",
    "CONCRETING OF ROAD,",
    "REPAIR OF SCHOOL BUILDING,",
    "CONSTRUCTION OF FLOOD CONTROL STRUCTURE ALONG",
    "CONSTRUCTION OF MULTI-PURPOSE BUILDING,",
    "COMPLETION OF",
)
_GOODS = (
    "SUPPLY AND DELIVERY OF",
    "PROCUREMENT OF",
    "PURCHASE OF",
    "Procurement of various",
    "Supply of",
    "LEASE OF VENUE FOR",
    "Construction supplies for",
    "",
)
# What searches must take literally, and what a careless writer of files trips over.
_ODD = (" (100% LOCAL)", " LOT_2", " A\\B", ' "AS IS"', " O'BRIEN ST.", " x&&y", "\nPHASE II", " NIÑO", "; DROP")
_ALIKE = str.maketrans("AEOPCTM", "АЕОРСТМ")
_Shares = npt.NDArray[np.float64]
_Picks = npt.NDArray[np.intp]


def rows(count: int, seed: int) -> Iterator[dict[str, str]]:
    """So many awards; the same for the same seed."""
    for chunk in range(-(-count // CHUNK)):
        made = _chunk(np.random.default_rng((seed, chunk)), chunk * CHUNK)
        yield from made[: count - chunk * CHUNK]


def write_csv(path: Path, count: int, seed: int) -> None:
    """A CSV file of so many awards."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows(count, seed))


def _chunk(rng: np.random.Generator, first: int) -> list[dict[str, str]]:
    contractors = _picks(rng, _zipf(_CONTRACTORS, 30, 0.82))
    organizations = _picks(rng, _zipf(_ORGANIZATIONS, 20, 0.95))
    categories = _picks(rng, _category_shares())
    areas = np.where(rng.random(CHUNK) < 0.8, organizations % len(AREAS), _picks(rng, _zipf(len(AREAS), 4, 1.0)))
    areas[rng.random(CHUNK) < 0.13] = 0
    titles = _titles(rng, categories)
    dates, amounts = _dates(rng), _amounts(rng, categories)
    chances = rng.random((CHUNK, 8))
    made: list[dict[str, str]] = []
    for i in range(CHUNK):
        chance = chances[i]
        if chance[0] < 0.01 and made:
            made.append(made[-1])
            continue
        number = "0" if chance[1] < 0.01 else f"{2_000_000 + (first + i) * 7}"
        notice = titles[i] if chance[2] < 0.6 else "" if chance[2] < 0.65 else titles[i - 1]
        values = (
            number,
            "" if chance[3] < 0.005 else dates[i],
            titles[i],
            notice,
            amounts[i],
            _varied(contractor_name(int(contractors[i])), chance[4]),
            "" if chance[5] < 0.003 else _varied(organization_name(int(organizations[i])), chance[5]),
            "" if chance[6] < 0.004 else _area(int(areas[i]), chance[6]),
            "" if chance[7] < 0.002 else category_name(int(categories[i])),
        )
        made.append(dict(zip(COLUMNS, values, strict=True)))
    return made


@cache
def _zipf(count: int, offset: float, power: float) -> _Shares:
    return _cumulative(1 / (np.arange(count) + offset) ** power)


@cache
def _category_shares() -> _Shares:
    known = [share for _, share, _ in CATEGORIES]
    rest = 1 / (np.arange(OTHER_CATEGORIES) + 3.0)
    return _cumulative(np.concatenate([known, rest * (1000 - sum(known)) / rest.sum()]))


def _cumulative(weights: npt.NDArray[np.float64]) -> _Shares:
    shares: _Shares = np.cumsum(weights) / weights.sum()
    return shares


def _picks(rng: np.random.Generator, shares: _Shares, count: int = CHUNK) -> _Picks:
    return np.minimum(np.searchsorted(shares, rng.random(count), "right"), len(shares) - 1)


def _titles(rng: np.random.Generator, categories: _Picks) -> list[str]:
    lengths = rng.integers(3, 17, CHUNK)
    ends = np.cumsum(lengths)
    words = [word(int(pick)) for pick in _picks(rng, _zipf(len(WORDS) + _COINED_WORDS, 2.7, 1.05), int(ends[-1]))]
    openings, odd = rng.integers(0, len(_WORKS), CHUNK), rng.random(CHUNK)
    titles = []
    for i in range(CHUNK):
        opening = (_WORKS if categories[i] == 0 else _GOODS)[openings[i]]
        text = f"{opening} {' '.join(words[ends[i] - lengths[i] : ends[i]])}".strip()
        if odd[i] < 0.01:
            text += _ODD[int(odd[i] * 100 * len(_ODD))]
        titles.append(text.upper() if odd[i] > 0.4 else text)
    return titles


def _dates(rng: np.random.Generator) -> list[str]:
    years = _FIRST_YEAR + _picks(rng, _cumulative(np.linspace(0.2, 3.0, _YEARS) ** 2))
    # The last quarter has the most.
    days = np.minimum((365 * rng.random(CHUNK) ** 0.8).astype(int), 364)
    typos = rng.random(CHUNK)
    years = np.where(typos < 0.0005, 1920, np.where(typos > 0.9997, 2034, years))
    return [str(date(int(year), 1, 1) + timedelta(int(day))) for year, day in zip(years, days, strict=True)]


def _amounts(rng: np.random.Generator, categories: _Picks) -> list[str]:
    means = np.array([mean for *_, mean in CATEGORIES] + [OTHER_MEAN] * OTHER_CATEGORIES) * 1000.0
    amounts = np.exp(rng.normal(np.log(means[categories]) - _SIGMA**2 / 2, _SIGMA))
    steps = 10.0 ** np.where(rng.random(CHUNK) < 0.3, rng.integers(3, 6, CHUNK), -2)
    return [f"{amount:.2f}" for amount in np.maximum(np.round(amounts / steps), 1) * steps]


def _varied(name: str, chance: float) -> str:
    """The name, or one that looks much like it."""
    if chance > 0.995:
        return (name.translate(_ALIKE), name.title(), name.replace(" ", "  ", 1))[int(chance * 3000) % 3]
    return name


def _area(rank: int, chance: float) -> str:
    """A province, or a list of two."""
    return f"{AREAS[rank]}, {AREAS[rank * 7 % 11]}" if chance > 0.99 else AREAS[rank]


if __name__ == "__main__":
    write_csv(Path(sys.argv[2]), int(sys.argv[1]), 7)
