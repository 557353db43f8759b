"""Awards that are hard to find rightly: missing values, characters that LIKE reads, letters that fold."""

from __future__ import annotations

from itertools import product

_TITLES = (
    ("ROAD REPAIR 100% COMPLETE", ""),
    ("Road repair 100 percent complete", "ROAD_REPAIR"),
    ("broad_band, LOT_2", "Broadband lot 2"),
    ("A\\B switch", "a\\\\b switch"),
    ('O\'BRIEN ST. "AS IS"', "o''brien st."),
    ("Flood control; DROP TABLE fact; --", "flood-control"),
    ("flood  control, phase ii\nflood control", "FLOOD CONTROL"),
    ("РОАD RЕРАIR", "road repair"),
    ("STRASSE", "Straße İstanbul ΟΔΟΣ οδός"),
    ("NIÑO x&&y", "nin\u0303o x&y"),
    ("...", "!?"),
    ("", "%s %(rids)s {schema} $1 :name"),
    ("", ""),
    ("word", "word words sword"),
    ("NULL and void", "²³ ①"),
)
_NAMES = (
    ("ACME %", "DPWH - 1st_DEO", "Metro Manila", "Civil Works"),
    ("Acme %", "DPWH - 1ST DEO", "metro manila", "Civil  Works"),
    ("ACME", "", "Manila, Metro", "civil works & goods"),
    ("АСМЕ", "Province of Abra", "", "Goods"),
    ('"Joe\'s" \\ Sons', "РROVINCE of Abra", "Abra", ""),
)
_DAYS = ("2022-12-31", "2023-01-01", "1920-02-29", "", "2034-10-04", "2023-03-31", "2023-04-01", "2023-12-31")
_AMOUNTS = ("0.01", "1000.00", "999.99", "1000000.00", "123456789012.34", "1000.00")


def rows() -> list[dict[str, str]]:
    """The awards; some are there twice."""
    made = []
    for place, ((title, notice), names) in enumerate(product(_TITLES, _NAMES)):
        contractor, organization, area, category = names
        row = {
            "contract_number": ("", "0", "NULL", "C-2", "c-10")[place % 5],
            "award_date": _DAYS[place % 8],
            "award_title": title,
            "notice_title": notice,
            "contract_amount": _AMOUNTS[place % 6],
            "awardee_name": contractor,
            "organization_name": organization,
            "area_of_delivery": area,
            "business_category": category,
        }
        made += [row] * (1 + (place % 7 == 0))
    return made
