"""Rule sheets as CSV files: what is read, what is listed as a problem, and that a file reads back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.events.rule_file import MOST_PROBLEMS, Problem, RuleFile, read_rules, write_rules
from chalicelib.events.rules import Condition, Rule, RuleSheet
from tests.events.strategies import sheets

HEADER = "eventName,eventPayload,dataType\n"
FIVE = "eventName,eventPayload,dataType,required,condition\n"


def rules(text: str | bytes) -> tuple[Rule, ...]:
    file = read(text)
    assert file.problems == ()
    return file.sheet.rules


def read(text: str | bytes) -> RuleFile:
    return read_rules(text if isinstance(text, bytes) else text.encode())


def problems(text: str | bytes) -> list[tuple[int, str, str, str]]:
    return [(each.line, each.column, each.value, each.reason) for each in read(text).problems]


A = Rule(event="order", path="a", type="text")
B = Rule(event="order", path="b", type="integer")


def test_three_columns_are_enough() -> None:
    assert rules(HEADER + "Order,a,text\nOrder,b,Integer\n") == (A, B)


def test_five_columns_tell_what_is_required_and_when() -> None:
    condition = '"{""if_field"": ""a"", ""if_value"": ""x"", ""then_field"": ""b"", ""then_type"": ""integer""}"'
    assert rules(FIVE + f"order,a,text,TRUE,\norder,b,integer,,{condition}\norder,c,text,no,{{}}\n") == (
        Rule(event="order", path="a", type="text", required=True),
        Rule(
            event="order",
            path="b",
            type="integer",
            condition=Condition(if_field="a", if_value="x", then_field="b", then_type="integer"),
        ),
        Rule(event="order", path="c", type="text"),
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ufeff" + HEADER + "order,a,text\n,b,integer\n", id="byte order mark"),
        pytest.param("EVENTNAME;eventpayload;DataType\norder;a;text\n;b;integer\n", id="semicolons and any case"),
        pytest.param("event_name\tEvent Payload\tdata type\norder\ta\ttext\n\tb\tinteger\n", id="tabs"),
        pytest.param("dataType,x,eventPayload,eventName\ntext,,a,order\ninteger,,b,order\n", id="any order"),
        pytest.param(HEADER.replace("\n", "\r\n") + "order,a,text\r\n,b,integer\r\n", id="lines of Windows"),
        pytest.param("\n\n" + HEADER + "\norder,a,text\n,,\n,b,integer", id="blank lines"),
        pytest.param(HEADER + "order,,\n,a,text\n,b,integer\n", id="name on a row of its own"),
        pytest.param('"eventName";"eventPayload";"dataType"\n"order";"a";"text"\n;b;integer\n', id="quotes"),
        pytest.param(HEADER + " Order , a , TEXT \n,payload.b, integer\n", id="blanks around"),
        pytest.param(HEADER + "order,a,string,\n,b,integer,,\n", id="blank cells behind"),
    ],
)
def test_file_is_read_however_it_was_saved(text: str) -> None:
    assert rules(text) == (A, B)


def test_further_columns_are_found_by_their_names() -> None:
    header = (
        "eventName;eventPayload;dataType;MIN;max;min_length;maxLength;minItems;maxItems;enum;nullable;pii;pattern\n"
    )
    text = header + (
        "e;a;number;-1;2.5;;;;;1|2.0;y;;\n"
        ';b;text;;;0;9;;;;;HASH;"^a;b"\n'
        ";c;array;;;;;0;5;;;drop;\n"
        ';d;enum;;;;;;;"[""x"",1,true]";;;\n'
        ";e;text;;;;;;; x | y ;;;\n"
    )
    assert rules(text) == (
        Rule(event="e", path="a", type="number", minimum=-1, maximum=2.5, enum=(1, 2.0), nullable=True),
        Rule(event="e", path="b", type="text", min_length=0, max_length=9, pii="hash", pattern="^a;b"),
        Rule(event="e", path="c", type="array", min_items=0, max_items=5, pii="drop"),
        Rule(event="e", path="d", type="enum", enum=("x", 1, True)),
        Rule(event="e", path="e", type="text", enum=("x", "y")),
    )


@pytest.mark.parametrize("word", ["true", "TRUE", "Yes", "1", "y"])
def test_required_is_said_in_several_words(word: str) -> None:
    assert rules(f"eventName,eventPayload,dataType,required\ne,a,text,{word}\n")[0].required


def test_columns_that_mean_nothing_are_named() -> None:
    assert read("eventName,eventPayload,dataType,patern,,note\ne,a,text,,,hello\n").ignored_columns == (
        "patern",
        "note",
    )


@pytest.mark.parametrize(
    ("text", "line", "value", "missing"),
    [
        ("eventName,dataType\ne,text\n", 1, "eventName, dataType", "eventPayload"),
        ("\na;b\n", 2, "a;b", "eventName, eventPayload, dataType"),
    ],
)
def test_missing_columns_are_named(text: str, line: int, value: str, missing: str) -> None:
    reason = f"must have columns eventName, eventPayload, dataType; missing: {missing}"
    assert problems(text) == [(line, "", value, reason)]


@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff", ",,\n"])
def test_file_of_nothing_is_a_problem(text: str) -> None:
    assert problems(text) == [
        (1, "", "", "must have a line of column names: eventName, eventPayload, dataType"),
    ]


def test_file_without_rules_is_a_problem() -> None:
    assert problems(HEADER) == [(1, "", "", "must have at least 1 rule below the column names, got 0")]


def test_column_that_is_there_twice_is_a_problem() -> None:
    assert problems("eventName,eventPayload,dataType,Data Type\ne,a,text,text\n") == [
        (1, "dataType", "dataType", "must be there once")
    ]


@pytest.mark.parametrize(
    ("content", "line"), [(HEADER.encode() + b"e,a,text\ne,caf\xe9,text\n", 3), (HEADER.encode("utf-16"), 1)]
)
def test_file_that_is_not_utf_8_is_a_problem(content: bytes, line: int) -> None:
    ((at, _, _, reason),) = problems(content)
    assert at == line
    assert reason.startswith("must be UTF-8 text, byte ")


def test_problems_of_all_rows_are_listed_by_line() -> None:
    text = (
        "Event Name,eventPayload,dataType,required,condition,min,enum,pii\n"
        ",a,text,,,,,\n"
        "e,,text,,,,,\n"
        'e,"b\nc",,,,,,\n'
        "e,d,uuid,maybe,{x,1;5,[x,mask\n"
        'e,f,text,,"{""if"":1}",,,\n'
        "e,g,text,,,3,,\n"
        "e,h,text,,,,,,more\n"
        "e,i,integer,,,1,,\n"
        "e,I,integer,,,1e999,,\n"
    )
    reasons = [(line, column, value) for line, column, value, _ in problems(text)]
    assert reasons == [
        (2, "Event Name", ""),
        (3, "eventPayload", ""),
        (4, "dataType", ""),
        (6, "required", "maybe"),
        (6, "condition", "{x"),
        (6, "min", "1;5"),
        (6, "enum", "[x"),
        (6, "pii", "mask"),
        (7, "condition", '{"if":1}'),
        (8, "min", "3"),
        (9, "", "more"),
        (11, "min", "1e999"),
    ]


@pytest.mark.parametrize(
    ("row", "column", "value", "reason"),
    [
        (",a,text,,", "eventName", "", "must be here or on a row above"),
        ("e,,text,,", "eventPayload", "", "must not be blank"),
        ("e,a,,yes,", "dataType", "", "must not be blank"),
        ("e,a,text,maybe,", "required", "maybe", "must be true, yes, 1 or y, or false, no, 0, n or blank, got 'maybe'"),
        ("e,a[0],text,,", "eventPayload", "a[0]", "must have [] for each element of an array and no other brackets, "
         "got 'a[0]'"),
        ("e,a,text,,\"{\"\"iff\"\":1}\"", "condition", '{"iff":1}', "must have none but if_field, operator, if_value, "
         "then_field, then_type, has 'iff', got '{\"iff\":1}'"),
        ("e,a,text,,[]", "condition", "[]", "must be a JSON object with if_field, if_value, then_field, then_type "
         "(Expected `object`, got `array`), got '[]'"),
        ("e,a,text,,\"{\"\"if_field\"\":\"\"b\"\"}\"", "condition", '{"if_field":"b"}', "must be a text, a number, "
         "true or false for eq, got None"),
    ],
)  # fmt: skip
def test_problem_says_where_and_why(row: str, column: str, value: str, reason: str) -> None:
    assert problems(FIVE + row + "\n") == [(2, column, value, reason)]


def test_rules_that_cannot_both_hold_are_found_by_line() -> None:
    assert problems(HEADER + "e,u,text\ne,u.n,text\ne,u.N,text\n") == [
        (2, "dataType", "text", "must be object, which 'u.n' is in, got text"),
        (4, "eventPayload", "u.N", "must be there once for each event, got 'u.N' again"),
    ]


def test_good_rows_are_read_beside_bad_ones() -> None:
    assert read(HEADER + "order,a,text\norder,z,uuid2[\norder,,\norder,b,integer\n").sheet.rules[::2] == (A, B)


def test_no_more_problems_are_listed_than_can_be_read() -> None:
    file = read(HEADER + "e,,text\n" * 5_000)
    assert len(file.problems) == MOST_PROBLEMS + 1
    assert file.problems[-1] == Problem(1002, "", "", "has more problems; the first 1000 are listed")


def test_file_of_too_many_rules_is_a_problem() -> None:
    text = HEADER + "".join(f"e,f{n},boolean\n" for n in range(20_005))
    assert problems(text) == [(20_002, "", "", "must have at most 20000 rules, this is one more")]


def test_cell_that_is_too_long_for_csv_is_a_problem() -> None:
    text = HEADER + 'e,a,text\ne,"' + "x" * 200_000
    assert problems(text) == [(3, "", "", "must be readable as CSV: field larger than field limit (131072)")]


def test_sheet_is_written_with_all_columns() -> None:
    rule = Rule(event="e", path="a", type="text", required=True, enum=("x;y", "z"), pattern='"q"')
    assert write_rules(RuleSheet(rules=(rule,))).decode() == (
        "eventName,eventPayload,dataType,required,condition,nullable,pattern,min,max,minLength,maxLength,minItems,"
        "maxItems,enum,pii\r\n"
        'e,a,text,true,,false,"""q""",,,,,,,"[""x;y"",""z""]",\r\n'
    )


@given(sheets())
def test_sheet_reads_back_as_it_was_written(sheet: RuleSheet) -> None:
    file = read_rules(write_rules(sheet))
    assert file.problems == ()
    assert repr(file.sheet) == repr(sheet)


@given(st.binary(max_size=60) | st.text(alphabet='evntame,;"\n\r\t\0{}[]é|', max_size=80).map(str.encode))
def test_no_file_raises(content: bytes) -> None:
    for prefix in (b"", HEADER.encode(), b"eventName;eventPayload;dataType;required;condition;enum;min\ne;"):
        file = read_rules(prefix + content)
        assert file.problems or file.sheet.rules
