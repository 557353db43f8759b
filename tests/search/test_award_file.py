"""Which columns of a CSV file are read, and where its records begin."""

from __future__ import annotations

import io

import pytest

from chalicelib.errors import InvalidRequest
from chalicelib.search.award_file import AwardFile
from chalicelib.search.awards import Award, Mention, Rejection
from chalicelib.search.source import Place

HEADER = "contract_number,contract_amount,awardee_name,award_title\n"


def read(text: str | bytes, start: Place | None = None) -> list[Award | Rejection]:
    return list(file_of(text).records(start or Place()))


def file_of(text: str | bytes) -> AwardFile:
    content = text.encode() if isinstance(text, str) else text
    return AwardFile(lambda byte: io.BytesIO(content[byte:]))


def award(number: str, amount: int, awardee: str, title: str | None = None) -> Award:
    return Award(number, None, title, None, amount, awardee, None, None, None)


@pytest.mark.parametrize(
    "header",
    [
        "Contract_Number,AWARDEE_NAME, contract amount ,Organization_Name,area_of_delivery,Business_Category",
        "reference_id,supplier,amount,buyer,area,category",
        # The layouts in which PhilGEPS exported its data.
        "Contract No,Awardee Corporate Title,Contract Amount,Organization Name,Area of Delivery,Business Category",
        "Award No.,Awardee Organization Name,Contract Amount,Procuring Entity,Area of Delivery,Business Category",
        "Award Reference No.,Awardee Organization Name,Contract Amount,Procuring Entity (PE),Area of Delivery,"
        "Business Category",
        "Award Reference No.,Awardee Organization Name,Contract Amount,Procuring Entity (PE),"
        "Area of Delivery/Project Location,Business Category",
    ],
)
def test_columns_are_found_by_their_names(header: str) -> None:
    assert read(f"{header}\n7,Ann,5,City,Cebu,Goods\n") == [
        Award("7", None, None, None, 500, "Ann", "City", "Cebu", "Goods")
    ]


def test_first_of_several_names_counts() -> None:
    assert read("reference_id,contract_no,contract_amount,awardee_name\nbid,contract,1,Ann\n") == [
        award("contract", 100, "Ann")
    ]


def test_columns_may_be_in_any_order_and_be_unknown() -> None:
    assert read("x,awardee_name,y,contract_amount\n1,Ann,2,3\n") == [
        Award(None, None, None, None, 300, "Ann", None, None, None)
    ]


def test_names_may_stand_below_a_title() -> None:
    text = "Awards of 2015\n\nas of,today\n" + HEADER + "7,1,Ann,Road\n8,0,Bob,\n"
    assert read(text) == [
        award("7", 100, "Ann", "Road"),
        Rejection(6, "amount", "0", "must be at least 0.01, got 0"),
    ]


OLD_LINES = HEADER.replace("\n", "\r") + "1,1,Ann,\r"


@pytest.mark.parametrize("text", ["", "\n", "contract_amount\n5\n", "1,2,3\n" * 20, OLD_LINES, HEADER.encode("utf-16")])
def test_file_without_the_names_of_amount_and_awardee_is_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"must have a line of column names with amount .* and awardee"):
        read(text)


def test_rejection_has_the_line_on_which_its_record_begins() -> None:
    text = HEADER + '1,0,Ann,\n2,1,Bob,"two\nlines\r\nof ""text"""\n\n3,x,Cyd,"more\n\nlines"\n4,0,Dan,'
    assert read(text) == [
        Rejection(2, "amount", "0", "must be at least 0.01, got 0"),
        award("2", 100, "Bob", 'two\nlines\r\nof "text"'),
        Rejection(7, "amount", "x", "must be a number such as 1234.50 or 1,234.50"),
        Rejection(10, "amount", "0", "must be at least 0.01, got 0"),
    ]


def test_record_with_more_values_than_names_is_rejected_for_all_are_shifted() -> None:
    assert read(HEADER + "1,1,000,Ann,Road\n2,1,Bob,Road,, \n") == [
        Rejection(2, "", "1,1,000,Ann,Road", "must have at most 4 values, got 5"),
        award("2", 100, "Bob", "Road"),
    ]


def test_values_that_are_left_out_at_the_end_are_missing() -> None:
    assert read(HEADER + "1,1,Ann\n2\n") == [award("1", 100, "Ann"), Rejection(3, "amount", "", "must not be blank")]


def test_record_that_is_no_csv_is_rejected_and_the_next_one_is_read() -> None:
    assert read(HEADER + f"1,1,Ann,{'x' * 140_000}\n2,1,Bob,\n") == [
        Rejection(2, "", "", "must be readable as CSV: field larger than field limit (131072)"),
        award("2", 100, "Bob"),
    ]


def test_line_that_does_not_end_is_read_in_pieces() -> None:
    sizes: list[int] = []

    class Counting(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            line = super().readline(size)
            sizes.append(len(line))
            return line

    content = HEADER.encode() + b"1,1,Ann,Road," * 300_000 + b"\n2,1,Bob,\n"
    found = list(AwardFile(lambda byte: Counting(content[byte:])).records(Place()))
    assert max(sizes) == 1 << 20
    assert {record.line for record in found[:-1] if isinstance(record, Rejection)} == {2}
    assert found[-1] == award("2", 100, "Bob")


def test_text_of_windows_is_read_line_by_line() -> None:
    content = HEADER.encode() + "1,1,Ann,Parañaque\n".encode("cp1252") + "2,1,Bob,Niño\n".encode()
    assert read(content) == [award("1", 100, "Ann", "Parañaque"), award("2", 100, "Bob", "Niño")]


def test_mark_of_the_byte_order_is_no_part_of_a_name() -> None:
    assert read("\ufeff" + HEADER + "1,1,Ann,\n") == [award("1", 100, "Ann")]


def test_reading_goes_on_where_it_was_left() -> None:
    text = HEADER + '1,1,Ann,"a\nñ"\n2,1,Bob,"b\n"\n\n3,0,Cyd,\n'
    all_at_once = read(text)
    for count in range(len(all_at_once) + 1):
        file = file_of(text)
        records = file.records(Place())
        first = [next(records) for _ in range(count)]
        assert first + read(text, file.place) == all_at_once


def test_place_behind_the_last_record_is_the_end() -> None:
    text = HEADER + "1,1,Ann,ñ\n\n"
    file = file_of(text)
    assert len(list(file.records(Place()))) == 1
    assert file.place == Place(byte=len(text.encode()), lines=3)


ITEMS = (
    "Bid Reference No.,Notice Title,Line Item No,Item Name,Award Reference No.,Award Title,Award Date,Contract Amount,"
    "Awardee Organization Name,Procuring Entity (PE)\n"
)
# Two items of one award, then awards that differ from it in one value each, then the first award once more.
OF_ITEMS = [
    "77,Paper,1,Bond paper,501,Supply of paper,01/02/2024,5000,Ann,City",
    "77,Paper,2,Carbon paper,501,Supply of paper,2024-02-01,5000.00, Ann ,City",
    "78,Paper,1,Bond paper,501,Supply of paper,01/02/2024,5000,Ann,City",
    "77,Pens,1,Bond paper,501,Supply of paper,01/02/2024,5000,Ann,City",
    "77,Paper,1,Bond paper,502,Supply of paper,01/02/2024,5000,Ann,City",
    "77,Paper,1,Bond paper,501,Supply of pens,01/02/2024,5000,Ann,City",
    "77,Paper,1,Bond paper,501,Supply of paper,02/02/2024,5000,Ann,City",
    "77,Paper,1,Bond paper,501,Supply of paper,01/02/2024,5001,Ann,City",
    "77,Paper,1,Bond paper,501,Supply of paper,01/02/2024,5000,Bob,City",
    "77,Paper,1,Bond paper,501,Supply of paper,01/02/2024,5000,Ann,Town",
    "77,Paper,3,Ledger,501,Supply of paper,01/02/2024,5000,Ann,City",
]


def mentions(text: str) -> list[Mention]:
    found = [record.mention for record in read(text)]
    assert None not in found
    return [mention for mention in found if mention]


def test_rows_of_an_export_by_item_tell_which_award_they_are_of() -> None:
    found = mentions(ITEMS + "\n".join(OF_ITEMS))
    keys = [mention.key for mention in found]
    assert [keys.index(key) for key in keys] == [0, 0, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    assert [mention.line for mention in found] == list(range(2, 13))


def test_first_of_the_rows_of_an_award_counts() -> None:
    ranks = [mention.rank for mention in mentions(ITEMS + "\n".join(OF_ITEMS))]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) == len(OF_ITEMS)


@pytest.mark.parametrize("name", ["Line Item No", "Item Name", "ITEM DESCRIPTION", "Item Desc", "Item Budget"])
def test_column_of_items_makes_an_export_by_item(name: str) -> None:
    assert len(mentions(f"awardee,amount,{name}\nAnn,1,x\nAnn,1,y\n")) == 2


@pytest.mark.parametrize("name", ["quantity", "line_item_number", "items"])
def test_equal_rows_of_any_other_file_are_awards_of_their_own(name: str) -> None:
    records = read(f"awardee,amount,{name}\nAnn,1,x\nAnn,1,x\n")
    assert records == [Award(None, None, None, None, 100, "Ann", None, None, None)] * 2
