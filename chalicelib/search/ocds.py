"""Awards out of releases of the Open Contracting Data Standard, version 1.1: what is read from where.

An award of several suppliers is one row under all their names, because its amount is theirs together. A later release
of the same process may tell of an award again, or take it back: the award's mention says so. Awards are taken whole,
not merged field by field; for that there are compiled releases, which a record has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from msgspec import Raw, Struct

from chalicelib.search.awards import MANILA, Award, Mention, Rejection, key_of, read_award, reject

# Company names have commas in them.
_BETWEEN_NAMES = "; "
_CURRENCY = "PHP"
_SCHEME = "philgeps"
_TAKEN_BACK = frozenset(("cancelled", "unsuccessful"))
_NULL = Raw(b"null")
# What a decoder raises: for the last one it takes brackets within brackets.
_UNFIT = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Camel(Struct, frozen=True, rename="camel"):
    """What is read of an object; all else in it is skipped."""


class _Value(_Camel, frozen=True):
    # As it is written: a float would round it.
    amount: Raw = _NULL
    currency: str | None = None


class _Party(_Camel, frozen=True):
    id: str | int | None = None
    name: str | None = None
    roles: list[str] | None = None


class _Location(_Camel, frozen=True):
    description: str | None = None


class _Address(_Camel, frozen=True):
    region: str | None = None
    locality: str | None = None


class _Classification(_Camel, frozen=True):
    scheme: str | None = None
    id: str | int | None = None
    description: str | None = None


class _Delivered(_Camel, frozen=True):
    """What the extension for locations is for: an item, or a tender as a whole."""

    delivery_location: _Location | None = None
    delivery_locations: list[_Location] | None = None
    delivery_address: _Address | None = None
    delivery_addresses: list[_Address] | None = None
    classification: _Classification | None = None
    additional_classifications: list[_Classification] | None = None


class _Tender(_Delivered, frozen=True):
    title: str | None = None
    procuring_entity: _Party | None = None
    main_procurement_category: str | None = None
    items: list[_Delivered] | None = None


class _Award(_Camel, frozen=True):
    id: str | int | None = None
    title: str | None = None
    status: str | None = None
    date: str | None = None
    value: _Value | None = None
    suppliers: list[_Party] | None = None
    items: list[_Delivered] | None = None


class _Release(_Camel, frozen=True):
    ocid: str | None = None
    date: str | None = None
    buyer: _Party | None = None
    parties: list[_Party] | None = None
    tender: _Tender | None = None
    awards: list[Raw] | None = None


class _Holder(_Camel, frozen=True):
    """What has releases in it: a package, or a record."""

    records: list[Raw] | None = None
    releases: list[Raw] | None = None
    compiled_release: Raw = _NULL


_HOLDERS = msgspec.json.Decoder(_Holder)
_RELEASES = msgspec.json.Decoder(_Release)
_AWARDS = msgspec.json.Decoder(_Award)


def read_item(number: int, item: bytes) -> list[Award | Rejection]:
    """The rows of a release, of a record or of a package of either; `number` is their line.

    Only a package without releases has none.
    """
    try:
        releases = list(_releases(item))
    except _UNFIT as error:
        return [_unfit(number, "an OCDS release", item, error)]
    return [record for release in releases for record in _read_release(number, release)]


def _releases(item: bytes | Raw) -> Iterator[bytes | Raw]:
    """The releases of an item; of a record the compiled one, where there is one."""
    holder = _HOLDERS.decode(item)
    if holder.records is not None:
        for record in holder.records:
            yield from _releases(record)
    elif _is_given(holder.compiled_release):
        yield holder.compiled_release
    elif holder.releases is not None:
        yield from holder.releases
    else:
        yield item


def _read_release(number: int, text: bytes | Raw) -> Iterator[Award | Rejection]:
    try:
        release = _RELEASES.decode(text)
    except _UNFIT as error:
        yield _unfit(number, "an OCDS release", bytes(text), error)
        return
    if not release.ocid:
        yield reject(number, "", bytes(text).decode(errors="replace"), "must have an ocid, as OCDS releases do")
    elif not release.awards:
        yield reject(number, "", release.ocid, "has no award")
    else:
        for award in release.awards:
            yield _read_award(number, release, award)


def _read_award(number: int, release: _Release, text: Raw) -> Award | Rejection:
    try:
        award = _AWARDS.decode(text)
        amount = _amount(award.value)
    except _UNFIT as error:
        return _unfit(number, "an award of OCDS", bytes(text), error)
    mention = None
    if name := _id(award):
        mention = Mention(key_of(release.ocid, name), number, _moment(release.date))
    if award.status and award.status.lower() in _TAKEN_BACK:
        reason = f"must be an award that holds, but its status is {award.status}"
        return msgspec.structs.replace(reject(number, "", _number(release, award), reason), mention=mention)
    currency = award.value.currency if award.value else None
    if currency and currency.strip().upper() != _CURRENCY:
        return reject(number, "amount", f"{amount} {currency}", f"must be in {_CURRENCY}, got {currency[:20]}")
    return _with(mention, read_award(number, _values(release, award, amount)))


def _with(mention: Mention | None, record: Award | Rejection) -> Award | Rejection:
    # An award that cannot be read takes back none that can.
    if mention is None or isinstance(record, Rejection):
        return record
    return msgspec.structs.replace(record, mention=mention)


def _values(release: _Release, award: _Award, amount: str | None) -> tuple[str | None, ...]:
    """The values of an award in the order of FIELDS."""
    tender = release.tender or _Tender()
    things = (*(award.items or ()), tender, *(tender.items or ()))
    return (
        _number(release, award),
        award.date,
        award.title,
        tender.title,
        amount,
        _awardee(award.suppliers or (), release.parties or ()),
        _organization(release, tender),
        next(_areas(things), None),
        next(_categories(things, tender), None),
    )


def _number(release: _Release, award: _Award) -> str:
    return _id(award) or release.ocid or ""


def _id(award: _Award) -> str:
    return "" if award.id is None else str(award.id).strip()


def _is_given(value: Raw) -> bool:
    return bytes(value) != bytes(_NULL)


def _amount(value: _Value | None) -> str | None:
    if value is None or not _is_given(value.amount):
        return None
    written = bytes(value.amount)
    return msgspec.json.decode(written, type=str) if written.startswith(b'"') else written.decode()


def _awardee(suppliers: Sequence[_Party], parties: Sequence[_Party]) -> str | None:
    names = (_name(supplier, parties) for supplier in suppliers)
    return _BETWEEN_NAMES.join(dict.fromkeys(name for name in names if name)) or None


def _name(party: _Party, parties: Sequence[_Party]) -> str:
    """The name of a reference to a party, which may be the id alone."""
    if (party.name or "").strip() or party.id is None:
        return (party.name or "").strip()
    return next((each.name for each in parties if each.id == party.id and each.name), "").strip()


def _organization(release: _Release, tender: _Tender) -> str | None:
    parties = release.parties or ()
    for reference in (release.buyer, tender.procuring_entity):
        if reference is not None and (name := _name(reference, parties)):
            return name
    for role in ("procuringEntity", "buyer"):
        for party in parties:
            if role in (party.roles or ()) and party.name:
                return party.name
    return None


def _areas(things: Sequence[_Delivered]) -> Iterator[str]:
    for thing in things:
        for location in (thing.delivery_location, *(thing.delivery_locations or ())):
            if location is not None and location.description:
                yield location.description
        for address in (thing.delivery_address, *(thing.delivery_addresses or ())):
            if address is not None and (area := address.region or address.locality):
                yield area


def _categories(things: Sequence[_Delivered], tender: _Tender) -> Iterator[str]:
    for thing in things:
        for classification in thing.additional_classifications or ():
            if (classification.scheme or "").lower() == _SCHEME and (named := _named(classification)):
                yield named
    if tender.main_procurement_category:
        yield tender.main_procurement_category
    for thing in things:
        if thing.classification is not None and (named := _named(thing.classification)):
            yield named


def _named(classification: _Classification) -> str:
    return classification.description or str(classification.id or "")


def _moment(text: str | None) -> int:
    """Milliseconds since 1970, by which releases are put in order; those without a date come first."""
    try:
        moment = datetime.fromisoformat(text or "")
        return int((moment if moment.tzinfo else moment.replace(tzinfo=MANILA)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0


def _unfit(number: int, what: str, text: bytes, error: Exception) -> Rejection:
    return reject(number, "", text[:200].decode(errors="replace"), f"must be {what}: {error}")
