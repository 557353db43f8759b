"""Awards as OCDS releases: by literals, and by reading them back as another publisher's."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.search.awards import Award
from chalicelib.search.harvest import HarvestPage
from chalicelib.search.ocds import read_item
from chalicelib.search.release_package import Publication, ReleasesRequest, package, release
from chalicelib.search.result import Contract

PUBLISHED = "2026-01-02T03:04:05Z"
BRIDGE = Contract(
    id=1,
    reference_id="A-1/2",
    contract_no="A-1/2",
    award_title="Repair of the bridge",
    notice_title="Bridge works",
    award_date=date(2024, 3, 1),
    awardee_name="Acme Builders",
    organization_name="City of Manila",
    area_of_delivery="Manila",
    business_category="Construction",
    contract_amount=1000.5,
    award_amount=1000.5,
)
BARE = msgspec.structs.replace(
    BRIDGE,
    reference_id=None,
    contract_no=None,
    award_title=None,
    notice_title=None,
    award_date=None,
    organization_name=None,
    area_of_delivery=None,
    business_category=None,
)


def as_json(contract: Contract) -> dict[str, object]:
    read: dict[str, object] = msgspec.json.decode(msgspec.json.encode(release(contract, "ocds-abc123", PUBLISHED)))
    return read


def test_release_says_who_bought_what_from_whom() -> None:
    said = as_json(BRIDGE)
    award = said["awards"][0]  # type: ignore[index]
    digest = award["id"].removeprefix("A-1/2-")
    # md5 of the names, as md5sum tells it.
    buyer = {"id": "buyer-d085b19cd8ed55dbc9aa2c22dce90c90", "name": "City of Manila"}
    supplier = {"id": "supplier-167cf7d095211e1fc46dfdcc865cb0ac", "name": "Acme Builders"}
    assert said == {
        "ocid": "ocds-abc123-a-1-2",
        "id": f"ocds-abc123-a-1-2-{digest}",
        "date": "2024-03-01T00:00:00+08:00",
        "tag": ["award"],
        "initiationType": "tender",
        "parties": [{**supplier, "roles": ["supplier"]}, {**buyer, "roles": ["buyer", "procuringEntity"]}],
        "buyer": buyer,
        "tender": {
            "id": "A-1/2",
            "title": "Bridge works",
            "items": [
                {
                    "id": "1",
                    "deliveryAddress": {"region": "Manila"},
                    "additionalClassifications": [
                        {"scheme": "PhilGEPS", "id": "Construction", "description": "Construction"}
                    ],
                }
            ],
        },
        "awards": [
            {
                "id": f"A-1/2-{digest}",
                "status": "active",
                "title": "Repair of the bridge",
                "date": "2024-03-01T00:00:00+08:00",
                "value": {"amount": 1000.5, "currency": "PHP"},
                "suppliers": [supplier],
            }
        ],
    }
    assert len(digest) == 12


def test_release_of_an_award_of_which_little_is_known_has_what_the_standard_requires() -> None:
    said = as_json(BARE)
    assert sorted(said) == ["awards", "date", "id", "initiationType", "ocid", "parties", "tag", "tender"]
    assert said["date"] == PUBLISHED
    assert sorted(said["awards"][0]) == ["id", "status", "suppliers", "value"]  # type: ignore[index]


def test_awards_of_one_number_are_releases_of_one_process() -> None:
    first, second = (as_json(msgspec.structs.replace(BRIDGE, awardee_name=name)) for name in ("Acme", "Bemco"))
    assert first["ocid"] == second["ocid"]
    assert first["id"] != second["id"]
    assert first["awards"][0]["id"] != second["awards"][0]["id"]  # type: ignore[index]


def test_release_is_the_same_in_every_data_set() -> None:
    assert as_json(msgspec.structs.replace(BRIDGE, id=77, matches={})) == as_json(BRIDGE)


def test_package_says_where_to_go_on() -> None:
    publication = Publication(
        prefix="ocds-abc123",
        url="https://sluice.test/api/v1/ocds/releases",
        now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )
    page = HarvestPage(data=(BRIDGE,), next_cursor="xyz", total_count=2, dataset_version=1)
    first = package(page, ReleasesRequest(page_size=1), publication)
    assert (first.uri, first.version, first.published_date, first.links.next) == (
        "https://sluice.test/api/v1/ocds/releases?page_size=1",
        "1.1",
        PUBLISHED,
        "https://sluice.test/api/v1/ocds/releases?page_size=1&cursor=xyz",
    )
    last = package(
        msgspec.structs.replace(page, next_cursor=None), ReleasesRequest(page_size=1, cursor="xyz"), publication
    )
    assert last.uri == first.links.next
    assert msgspec.json.decode(msgspec.json.encode(last))["links"] == {}


texts = (
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
    .map(str.strip)
    .filter(lambda text: text not in ("", "NULL"))
)


@given(
    title=st.none() | texts,
    notice=st.none() | texts,
    supplier=texts,
    buyer=st.none() | texts,
    area=st.none() | texts,
    category=st.none() | texts,
    day=st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    centavos=st.integers(1, 9 * 10**13),
    number=st.none() | texts,
)
def test_release_is_read_back_as_the_award_that_it_was_made_of(
    title: str | None,
    notice: str | None,
    supplier: str,
    buyer: str | None,
    area: str | None,
    category: str | None,
    day: date | None,
    centavos: int,
    number: str | None,
) -> None:
    contract = msgspec.structs.replace(
        BRIDGE,
        reference_id=number,
        contract_no=number,
        award_title=title,
        notice_title=notice,
        award_date=day,
        awardee_name=supplier,
        organization_name=buyer,
        area_of_delivery=area,
        business_category=category,
        contract_amount=centavos / 100,
    )
    (award,) = read_item(1, msgspec.json.encode(release(contract, "ocds-abc123", PUBLISHED)))
    assert isinstance(award, Award)
    assert (award.award_title, award.notice_title, award.awardee) == (title, notice, supplier)
    assert (award.organization, award.area, award.category) == (buyer, area, category)
    assert (award.award_date, award.amount_centavos) == (day, centavos)
    assert (award.contract_number or "").startswith(number or "")
