"""Which awards a release has, and from where in it their values are taken."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from chalicelib.search.awards import Award, Rejection
from chalicelib.search.ocds import read_item

# What a portal publishes: all that is read of a release, and some that is not.
RELEASE: dict[str, Any] = {
    "ocid": "ocds-x1-77",
    "id": "77-award",
    "date": "2024-05-07T09:00:00+08:00",
    "tag": ["award"],
    "initiationType": "tender",
    "language": "en",
    "parties": [
        {"id": "PE-1", "name": "City of Manila", "roles": ["buyer", "procuringEntity"], "address": {"region": "NCR"}},
        {"id": "S-1", "name": "Acme Builders, Inc.", "roles": ["supplier", "tenderer"]},
    ],
    "buyer": {"id": "PE-1", "name": "City of Manila"},
    "tender": {
        "id": "77",
        "title": "Repair of bridges",
        "mainProcurementCategory": "works",
        "value": {"amount": 9000, "currency": "PHP"},
        "items": [
            {
                "id": "1",
                "classification": {"scheme": "UNSPSC", "id": "72141100", "description": "Bridge works"},
                "additionalClassifications": [{"scheme": "PhilGEPS", "description": "Construction Projects"}],
                "deliveryLocation": {"description": "Metro Manila"},
                "deliveryAddress": {"region": "NCR", "locality": "Tondo"},
            }
        ],
    },
    "awards": [
        {
            "id": "5136945",
            "title": "Repair of the Jones bridge",
            "status": "active",
            "date": "2024-05-05T16:00:00Z",
            "value": {"amount": 1234.5, "currency": "PHP"},
            "suppliers": [{"id": "S-1", "name": "Acme Builders, Inc."}],
        }
    ],
    "contracts": [{"id": "c", "awardID": "5136945", "value": {"amount": 1, "currency": "PHP"}}],
}


def read(release: dict[str, Any]) -> list[Award | Rejection]:
    return read_item(7, json.dumps(release).encode())


def award_of(**changes: Any) -> dict[str, Any]:
    """The release with another award."""
    return RELEASE | {"awards": [RELEASE["awards"][0] | changes]}


def tender_of(**changes: Any) -> dict[str, Any]:
    return RELEASE | {"tender": RELEASE["tender"] | changes}


def item_of(**changes: Any) -> dict[str, Any]:
    return tender_of(items=[RELEASE["tender"]["items"][0] | changes])


def one(release: dict[str, Any]) -> Award:
    (award,) = read(release)
    assert isinstance(award, Award), award
    return award


def rejected(release: dict[str, Any]) -> tuple[str, str, str]:
    (rejection,) = read(release)
    assert isinstance(rejection, Rejection), rejection
    assert rejection.line == 7
    return rejection.column, rejection.value, rejection.reason


def test_award_is_taken_with_what_the_release_says_about_it() -> None:
    award = one(RELEASE)
    assert award == Award(
        contract_number="5136945",
        # Midnight in Manila.
        award_date=date(2024, 5, 6),
        award_title="Repair of the Jones bridge",
        notice_title="Repair of bridges",
        amount_centavos=123_450,
        awardee="Acme Builders, Inc.",
        organization="City of Manila",
        area="Metro Manila",
        category="Construction Projects",
        mention=award.mention,
    )


def test_release_of_little_but_an_amount_and_a_supplier_is_an_award() -> None:
    award = {"value": {"amount": 5}, "suppliers": [{"name": "Ann"}]}
    assert read({"ocid": "o", "awards": [award]}) == [Award("o", None, None, None, 500, "Ann", None, None, None)]


@pytest.mark.parametrize(
    ("amount", "centavos"),
    [
        (b"1234.5", 123_450),
        (b'"1234.50"', 123_450),
        (b"89999999999999.99", 8_999_999_999_999_999),
        (b"2.675", 268),
        (b"1.5e3", 150_000),
        (b"7", 700),
    ],
)
def test_amount_is_read_as_it_is_written(amount: bytes, centavos: int) -> None:
    text = json.dumps(award_of(value={"amount": "here", "currency": "php"})).encode().replace(b'"here"', amount)
    (award,) = read_item(1, text)
    assert isinstance(award, Award)
    assert award.amount_centavos == centavos


def test_several_suppliers_are_one_row_under_all_their_names_so_that_the_amount_counts_once() -> None:
    suppliers = [{"name": "Acme, Inc."}, {"id": "S-1"}, {"name": " Acme, Inc. "}, {"name": "Bob"}, {"id": "S-9"}, {}]
    award = one(award_of(suppliers=suppliers))
    assert award.awardee == "Acme, Inc.; Acme Builders, Inc.; Bob"
    assert award.amount_centavos == 123_450


def test_each_award_of_a_release_is_a_row() -> None:
    first = RELEASE["awards"][0]
    release = RELEASE | {
        "awards": [first, first | {"id": 2, "value": {"amount": 2}}, first | {"id": "3", "value": None}]
    }
    awards = read(release)
    assert [record.contract_number for record in awards if isinstance(record, Award)] == ["5136945", "2"]
    assert awards[2] == Rejection(7, "amount", "", "must not be blank")


@pytest.mark.parametrize(
    ("changes", "organization"),
    [
        ({"buyer": {"name": "Buyer"}}, "Buyer"),
        ({"buyer": {"id": "PE-1"}}, "City of Manila"),
        ({"buyer": None}, "City of Manila"),
        (
            {
                "buyer": None,
                "parties": [{"name": "B", "roles": ["buyer"]}, {"name": "P", "roles": ["procuringEntity"]}],
            },
            "P",
        ),
        ({"buyer": None, "parties": [{"name": "S", "roles": ["supplier"]}, {"name": "B", "roles": ["buyer"]}]}, "B"),
        ({"buyer": None, "parties": None}, None),
    ],
)
def test_organization_is_the_buyer_else_who_procures(changes: dict[str, Any], organization: str | None) -> None:
    assert one(RELEASE | changes).organization == organization


def test_organization_is_the_procuring_entity_of_the_tender_where_there_is_no_buyer() -> None:
    assert one(tender_of(procuringEntity={"name": "PE"}) | {"buyer": None}).organization == "PE"


@pytest.mark.parametrize(
    ("item", "area"),
    [
        ({}, "Metro Manila"),
        ({"deliveryLocation": {"geometry": {"type": "Point"}}}, "NCR"),
        ({"deliveryLocation": None, "deliveryAddress": {"locality": "Tondo"}}, "Tondo"),
        ({"deliveryLocation": None, "deliveryAddress": None, "deliveryAddresses": [{"region": "Cebu"}]}, "Cebu"),
        ({"deliveryLocation": None, "deliveryAddress": None}, None),
    ],
)
def test_area_is_where_an_item_is_delivered(item: dict[str, Any], area: str | None) -> None:
    assert one(item_of(**item)).area == area


def test_area_of_the_award_goes_before_that_of_the_tender() -> None:
    assert one(tender_of(deliveryAddress={"region": "Leyte"})).area == "Leyte"
    assert one(award_of(items=[{"deliveryAddress": {"region": "Bohol"}}])).area == "Bohol"


@pytest.mark.parametrize(
    ("release", "category"),
    [
        (RELEASE, "Construction Projects"),
        (item_of(additionalClassifications=[{"scheme": "CPV", "description": "x"}]), "works"),
        (tender_of(mainProcurementCategory=None), "Construction Projects"),
        (item_of(additionalClassifications=None), "works"),
        (award_of(items=[{"additionalClassifications": [{"scheme": "philgeps", "id": "Drugs"}]}]), "Drugs"),
    ],
)
def test_category_is_that_of_philgeps_else_the_main_one(release: dict[str, Any], category: str) -> None:
    assert one(release).category == category


def test_category_is_the_class_of_the_first_item_where_nothing_else_is_said() -> None:
    items = [{"classification": {"description": "Bridge works"}}, {"classification": {"description": "Paper"}}]
    assert one(tender_of(mainProcurementCategory=None, items=items)).category == "Bridge works"


@pytest.mark.parametrize("status", ["cancelled", "unsuccessful", "Cancelled"])
def test_award_that_does_not_hold_is_rejected(status: str) -> None:
    reason = f"must be an award that holds, but its status is {status}"
    assert rejected(award_of(status=status)) == ("", "5136945", reason)


@pytest.mark.parametrize("status", ["active", "pending", None])
def test_award_that_is_pending_or_has_no_status_is_taken(status: str | None) -> None:
    assert one(award_of(status=status)).amount_centavos == 123_450


def test_award_in_another_currency_is_rejected_and_one_without_a_currency_taken() -> None:
    assert rejected(award_of(value={"amount": 5, "currency": "USD"})) == ("amount", "5 USD", "must be in PHP, got USD")
    assert one(award_of(value={"amount": 5})).amount_centavos == 500


@pytest.mark.parametrize("awards", [None, []])
def test_release_of_a_plan_or_a_tender_is_rejected_as_one_row(awards: list[object] | None) -> None:
    assert rejected(RELEASE | {"awards": awards}) == ("", "ocds-x1-77", "has no award")


def test_object_that_is_no_release_is_rejected() -> None:
    assert rejected({"hello": "world"}) == ("", '{"hello": "world"}', "must have an ocid, as OCDS releases do")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"[1]", "must be an OCDS release: Expected `object`, got `array`"),
        (b'"text"', "must be an OCDS release: Expected `object`, got `str`"),
        (b'{"ocid": "a", "awards": [}', "must be an OCDS release: JSON is malformed: invalid character (byte 25)"),
        (
            b'{"ocid": "a", "buyer": "City"}',
            "must be an OCDS release: Expected `object | null`, got `str` - at `$.buyer`",
        ),
        (b'{"ocid": "\\ud800"}', "must be an OCDS release: Input data was truncated"),
        (b'{"ocid": "\xff"}', "must be an OCDS release: 'utf-8' codec can't decode byte 0xff in position 0: "),
        (b'{"x": ' + b"[" * 100_000, "must be an OCDS release: maximum recursion depth exceeded"),
    ],
)
def test_text_that_is_no_release_is_rejected_with_what_is_wrong(text: bytes, reason: str) -> None:
    (rejection,) = read_item(7, text)
    assert isinstance(rejection, Rejection)
    assert rejection.reason[: len(reason)] == reason
    assert (rejection.line, rejection.value) == (7, text.decode(errors="replace")[:100])


def test_award_that_cannot_be_read_leaves_the_others_of_its_release() -> None:
    release = RELEASE | {"awards": [{"id": "1", "suppliers": "Ann"}, RELEASE["awards"][0]]}
    bad, good = read(release)
    assert bad == Rejection(
        7,
        "",
        '{"id": "1", "suppliers": "Ann"}',
        "must be an award of OCDS: Expected `array | null`, got `str` - at `$.suppliers`",
    )
    assert good == one(RELEASE)


def test_amount_that_is_no_number_is_rejected() -> None:
    assert rejected(award_of(value={"amount": {"a": 1}}))[2] == "must be a number such as 1234.50 or 1,234.50"
    assert rejected(award_of(value={"amount": 0}))[2] == "must be at least 0.01, got 0"


@pytest.mark.parametrize(
    "item",
    [
        {"releases": [RELEASE, RELEASE | {"ocid": "b"}], "uri": "x"},
        {"records": [{"ocid": "a", "compiledRelease": RELEASE}, {"ocid": "b", "releases": [RELEASE | {"ocid": "b"}]}]},
    ],
)
def test_package_has_the_awards_of_all_its_releases(item: dict[str, Any]) -> None:
    first, second = read(item)
    assert (first, second) == (one(RELEASE), one(RELEASE | {"ocid": "b"}))


def test_release_that_cannot_be_read_leaves_the_others_of_its_package() -> None:
    bad, good = read({"releases": [{"ocid": "b", "buyer": "City"}, RELEASE]})
    reason = "must be an OCDS release: Expected `object | null`, got `str` - at `$.buyer`"
    assert bad == Rejection(7, "", '{"ocid": "b", "buyer": "City"}', reason)
    assert good == one(RELEASE)


def test_record_is_read_from_its_compiled_release_alone() -> None:
    record = {"ocid": "a", "releases": [RELEASE, RELEASE], "compiledRelease": award_of(title="Compiled")}
    assert one(record).award_title == "Compiled"


def test_package_without_releases_has_no_records() -> None:
    assert read({"releases": []}) == []


def keys(*releases: dict[str, Any]) -> list[str]:
    mentions = [record.mention for release in releases for record in read(release)]
    return [mention.key for mention in mentions if mention]


def test_award_is_the_same_one_in_every_release_of_its_process() -> None:
    later = award_of(title="Amended", value={"amount": 9}) | {"date": "2025-01-01", "tender": None}
    cancelled = award_of(status="cancelled")
    assert len(set(keys(RELEASE, later, cancelled))) == 1
    others = (RELEASE, award_of(id="8"), RELEASE | {"ocid": "ocds-x1-78"})
    assert len(set(keys(*others))) == 3


def test_award_without_an_id_and_one_that_cannot_be_read_are_not_told_of_elsewhere() -> None:
    nameless = [award_of(id=None), award_of(id=" ")]
    assert [one(release).contract_number for release in nameless] == ["ocds-x1-77", "ocds-x1-77"]
    assert keys(*nameless, award_of(value=None), award_of(value={"amount": 1, "currency": "USD"})) == []


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (None, "1970-01-02"),
        ("no date", "1970-01-02"),
        ("2024-05-07", "2024-05-07T00:00:01+08:00"),
        ("2024-05-07T01:00:00+08:00", "2024-05-06T18:00:00Z"),
        ("2024-05-07T01:00:00", "2024-05-06T18:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.5Z"),
    ],
)
def test_release_with_the_later_date_has_the_higher_rank(earlier: str | None, later: str) -> None:
    first, second = (one(RELEASE | {"date": moment}).mention for moment in (earlier, later))
    assert first
    assert second
    assert first.rank < second.rank
