"""Names and words of procurement by rank, the most frequent ones first; all but a few of them are made up."""

from __future__ import annotations

from functools import cache

_PROVINCES = (
    "Metro Manila|Leyte|Iloilo|Cebu|Davao Del Sur|Albay|Camarines Sur|Bukidnon|Batangas|Laguna|Quezon|"
    "Misamis Oriental|Pangasinan|Davao Del Norte|Bataan|Rizal|Negros Oriental|Benguet|Zamboanga Del Sur|"
    "Palawan|Negros Occidental|Nueva Ecija|South Cotabato|Ilocos Norte|Bulacan|Cavite|Pampanga|Tarlac|"
    "Isabela|Cagayan|Bohol|Capiz|Aklan|Antique|Sorsogon|Masbate|Catanduanes|Aurora|Zambales|La Union|"
    "Ilocos Sur|Abra|Kalinga|Ifugao|Apayao|Samar|Eastern Samar|Northern Samar|Biliran|Southern Leyte|"
    "Lanao Del Norte|Lanao Del Sur|Maguindanao|Sulu|Basilan|Tawi-Tawi|Surigao Del Norte|Surigao Del Sur|"
    "Agusan Del Norte|Agusan Del Sur|Cotabato|Sarangani|Sultan Kudarat|Siquijor|Romblon|Marinduque|"
    "Oriental Mindoro|Occidental Mindoro|Batanes|Quirino|Nueva Vizcaya|Guimaras|Camiguin"
)
AREAS = tuple(_PROVINCES.split("|"))
# Name, share of the rows in thousandths, mean amount in thousands of pesos.
CATEGORIES = (
    ("Construction Projects", 154, 13_660),
    ("Construction Materials and Supplies", 74, 567),
    ("Office Supplies and Devices", 62, 213),
    ("Medical Supplies and Laboratory Instrument", 59, 545),
    ("Drugs and Medicines", 48, 1_069),
    ("General Merchandise", 44, 573),
    ("Catering Services", 40, 275),
    ("Office Equipment Supplies and Consumables", 40, 179),
    ("Laboratory Supplies and Equipment", 29, 905),
    ("Food Stuff", 26, 1_185),
    ("Information Technology", 23, 2_632),
    ("Vehicle Parts and Accessories", 19, 319),
    ("Hotel and Lodging and Meeting Facilities", 15, 398),
    ("Fuels/Fuel Additives & Lubricants & Anti Corrosive", 13, 4_437),
    ("Printing Services", 13, 1_310),
    ("Services", 11, 3_792),
    ("Furniture", 11, 976),
    ("Goods and Services", 4, 800),
    ("Goods & Services", 2, 800),
)
OTHER_CATEGORIES, OTHER_MEAN = 150, 900
_HEAD = (
    "of and for the materials supplies road office school various barangay equipment building delivery at "
    "installation repair maintenance city municipal medical medicines water system food meals snacks training "
    "printing computer laboratory bridge drainage river wall structure hall farm market fuel oil lubricants spare "
    "parts vehicle tires rental accommodation janitorial security hardware electrical plumbing paint lumber cement "
    "gravel sand steel furniture chairs tables airconditioning unit generator pump pipe drugs vaccines reagents "
    "hospital dental kits rice seeds fertilizer livestock feeds tractor engine boat uniforms tarpaulin ink toner "
    "paper consultancy survey design study software license internet server radio laptop printer projector stage "
    "lunch seminar transport hauling truck backhoe asphalt slope protection dike canal irrigation dam classroom "
    "gymnasium evacuation center court terminal fence gate health station ambulance rescue extinguisher phase lot "
    "no. purok sitio poblacion san santa"
)
WORDS = tuple(_HEAD.split(" "))
_SUFFIXES = (
    "CONSTRUCTION",
    "ENTERPRISES",
    "TRADING",
    "GENERAL MERCHANDISE",
    "CORPORATION",
    "CONSTRUCTION & SUPPLY",
    "INC.",
    "BUILDERS",
    "DRUGSTORE",
    "MARKETING",
    "MULTI-PURPOSE COOPERATIVE",
    "CATERING SERVICES",
    "MEDICAL SUPPLIES",
)
_OFFICES = (
    "MUNICIPALITY OF {word}, {area}",
    "BARANGAY {word}, {area}",
    "CITY OF {word}",
    "PROVINCE OF {area}",
    "{word} STATE UNIVERSITY",
    "{word} DISTRICT HOSPITAL",
    "DPWH - {area} DISTRICT ENGINEERING OFFICE",
    "DEPARTMENT OF EDUCATION - DIVISION OF {area}",
)
_ONSETS = ("b", "k", "d", "g", "h", "l", "m", "n", "p", "r", "s", "t", "w", "y", "ng", "")
_ENDINGS = ("a", "i", "o", "u", "e", "an", "ing", "os", "ay", "ul")


@cache
def word(rank: int) -> str:
    """A word of a title."""
    return WORDS[rank] if rank < len(WORDS) else _coin(rank)


@cache
def contractor_name(rank: int) -> str:
    """An awardee."""
    first, second = _coin(3_000 + rank * 7 % 25_000), _coin(4_000 + rank * 11 % 19_997)
    name = f"{first} {second}" if rank % 2 else f"{second} {rank // 20_000 or ''}".strip()
    return f"{name} {_SUFFIXES[rank % len(_SUFFIXES)]}".upper()


@cache
def organization_name(rank: int) -> str:
    """A procuring entity; some ranks share one."""
    area = AREAS[rank % len(AREAS)]
    return _OFFICES[rank % len(_OFFICES)].format(word=_coin(1_000 + rank), area=area).upper()


@cache
def category_name(rank: int) -> str:
    """A business category."""
    if rank < len(CATEGORIES):
        return CATEGORIES[rank][0]
    return f"{_coin(rank * 31).title()} {'Services' if rank % 3 else 'Supplies'}"


def _coin(number: int) -> str:
    """A word that nobody uses, of its own for each number."""
    coined, left = "", number
    while left:
        left, syllable = divmod(left, len(_ONSETS) * len(_ENDINGS))
        coined += _ONSETS[syllable % len(_ONSETS)] + _ENDINGS[syllable // len(_ONSETS)]
    return coined
