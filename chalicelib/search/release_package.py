"""Awards as a release package of the Open Contracting Data Standard, version 1.1.

Each award is a release of its own; awards that share a contract number share a process (`ocid`), so the award's id has
a digest of its content behind the number. Rows that are equal in everything have the same ids: they are one to OCDS.
Standard: https://standard.open-contracting.org/1.1/, release and package schemas.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.search.harvest import HarvestPage, HarvestRequest
from chalicelib.search.names import entity_id
from chalicelib.search.paging import PageSize
from chalicelib.search.result import Contract

_CURRENCY = "PHP"
_SCHEME = "PhilGEPS"
_MANILA = timezone(timedelta(hours=8))
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9]+")
# Of a digest, as hexadecimal digits: two of a process alike by chance once in a billion processes of ten awards.
_DIGEST = 12


class ReleasesRequest(Struct, frozen=True, kw_only=True):
    """Which releases to read."""

    page_size: Annotated[PageSize, Meta(description="Releases of a package, at most 1000.")] = 100
    cursor: Annotated[
        Annotated[str, Meta(min_length=1, max_length=200)] | None,
        Meta(description="As it stands in links.next of the package before; none for the first one."),
    ] = None


class Organization(Struct, frozen=True):
    """A reference to a party."""

    id: str
    name: str


class Party(Struct, frozen=True):
    """An organization and what it is in the process."""

    id: str
    name: str
    roles: tuple[Literal["buyer", "procuringEntity", "supplier"], ...]


class Address(Struct, frozen=True):
    """Where something is delivered to."""

    region: str


class Classification(Struct, frozen=True):
    """A category of the source."""

    scheme: str
    id: str
    description: str


class Item(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What is bought, as far as the source says."""

    id: str
    delivery_address: Address | UnsetType = UNSET
    additional_classifications: tuple[Classification, ...] | UnsetType = UNSET


class Tender(Struct, frozen=True, omit_defaults=True):
    """The notice."""

    id: str
    title: str | UnsetType = UNSET
    items: tuple[Item, ...] | UnsetType = UNSET


class Value(Struct, frozen=True):
    """An amount."""

    amount: float
    currency: str


class ReleasedAward(Struct, frozen=True, omit_defaults=True):
    """The award."""

    id: str
    status: Literal["active"]
    value: Value
    suppliers: tuple[Organization, ...]
    title: str | UnsetType = UNSET
    date: str | UnsetType = UNSET


class Release(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One award of a process."""

    ocid: str
    id: str
    date: str
    tag: tuple[str, ...]
    initiation_type: str
    parties: tuple[Party, ...]
    awards: tuple[ReleasedAward, ...]
    tender: Tender
    buyer: Organization | UnsetType = UNSET


class Publisher(Struct, frozen=True):
    """Who publishes."""

    name: str


class Links(Struct, frozen=True, omit_defaults=True):
    """Where to go on."""

    next: Annotated[str | UnsetType, Meta(description="The next package; missing behind the last one.")] = UNSET


class ReleasePackage(Struct, frozen=True, rename="camel"):
    """A release package of OCDS 1.1."""

    uri: str
    version: Annotated[str, Meta(description="Of the standard.")]
    published_date: str
    publisher: Publisher
    releases: tuple[Release, ...]
    links: Links


class Publication(Struct, frozen=True, kw_only=True):
    """What the deployment says of itself in each package."""

    # As registered with the Open Contracting Partnership.
    prefix: str
    # Without a slash at its end.
    url: str
    now: datetime


def harvest_of(request: ReleasesRequest) -> HarvestRequest:
    """The awards of a package."""
    return HarvestRequest(page_size=request.page_size, cursor=request.cursor)


def package(page: HarvestPage, request: ReleasesRequest, publication: Publication) -> ReleasePackage:
    """The package of a page of awards."""
    published = publication.now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    def address(cursor: str | None) -> str:
        own = f"{publication.url}?page_size={request.page_size}"
        return own if cursor is None else f"{own}&cursor={cursor}"

    return ReleasePackage(
        uri=address(request.cursor),
        version="1.1",
        published_date=published,
        publisher=Publisher("Sluice"),
        releases=tuple(release(contract, publication.prefix, published) for contract in page.data),
        links=Links() if page.next_cursor is None else Links(address(page.next_cursor)),
    )


def release(contract: Contract, prefix: str, published: str) -> Release:
    """The release of an award; one without a date is of the package's."""
    digest = _digest(contract)
    number = contract.contract_no or digest
    ocid = f"{prefix}-{_NOT_IN_AN_ID.sub('-', number).strip('-').lower() or digest}"
    supplier = Organization(f"supplier-{entity_id(contract.awardee_name)}", contract.awardee_name)
    name = contract.organization_name
    buyer = Organization(f"buyer-{entity_id(name)}", name) if name else UNSET
    day = _midnight(contract.award_date) if contract.award_date else UNSET
    parties = [Party(supplier.id, supplier.name, ("supplier",))]
    if isinstance(buyer, Organization):
        parties.append(Party(buyer.id, buyer.name, ("buyer", "procuringEntity")))
    award = ReleasedAward(
        id=number if number == digest else f"{number}-{digest}",
        status="active",
        value=Value(contract.contract_amount, _CURRENCY),
        suppliers=(supplier,),
        title=contract.award_title or UNSET,
        date=day,
    )
    return Release(
        ocid=ocid,
        id=f"{ocid}-{digest}",
        date=published if isinstance(day, UnsetType) else day,
        tag=("award",),
        initiation_type="tender",
        parties=tuple(parties),
        awards=(award,),
        tender=Tender(number, contract.notice_title or UNSET, _items(contract)),
        buyer=buyer,
    )


def _items(contract: Contract) -> tuple[Item, ...] | UnsetType:
    area, category = contract.area_of_delivery, contract.business_category
    if not area and not category:
        return UNSET
    return (
        Item(
            id="1",
            delivery_address=Address(area) if area else UNSET,
            additional_classifications=(Classification(_SCHEME, category, category),) if category else UNSET,
        ),
    )


def _midnight(day: date) -> str:
    return datetime(day.year, day.month, day.day, tzinfo=_MANILA).isoformat()


def _digest(contract: Contract) -> str:
    """Names the content of an award, in every data set alike."""
    content = [getattr(contract, name) for name in contract.__struct_fields__ if name not in ("id", "matches")]
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:_DIGEST]
