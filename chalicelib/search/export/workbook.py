"""Tables as an Excel workbook (ECMA-376), with as many sheets as Excel's limit of rows asks for.

Texts are texts: a cell that begins with `=` is shown, never computed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date

import msgspec

from chalicelib.search.export.archive import Archive, Place
from chalicelib.search.export.columns import Column, Content, Row, Value, pesos

# Of a sheet, the line of names among them (Microsoft, "Excel specifications and limits").
SHEET_ROWS = 1_048_576
# Some rows before 4 GiB, which no member of the archive may reach.
_SHEET_BYTES = 3 * 2**30
# Of texts joined to be packed at once.
_CHUNK_ROWS = 500
_ESCAPED = re.compile("[&<>\x00-\x08\x0b\x0c\x0e-\x1f\r\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_MARKS = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Days are counted from here; Excel takes 1900 for a leap year, so earlier dates than March 1900 are texts.
_DAY_0 = date(1899, 12, 30).toordinal()
_FIRST_DAY = date(1900, 3, 1)

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# Widths in letters.
_WIDTHS: dict[Content, int] = {"text": 30, "day": 12, "count": 10, "money": 18, "mean": 18}
# Cell formats by their places: as it is, a day, an amount, a column's name.
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="4" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)


class _Stand(msgspec.Struct, frozen=True):
    """Where a workbook was paused: its archive, its sheets, and the rows of the one that is open."""

    place: Place = Place()
    sheets: int = 0
    rows: int = 0


class Workbook:
    """An Encoder of one table."""

    def __init__(self, columns: Sequence[Column], stand: bytes = b"", *, sheet_rows: int = SHEET_ROWS) -> None:
        before = msgspec.json.decode(stand, type=_Stand) if stand else _Stand()
        self._columns = columns
        self._sheet_rows = sheet_rows
        self._archive = Archive(before.place)
        self._sheets, self._rows = before.sheets, before.rows
        self._cells = [_CELLS[column.content] for column in columns]

    def begin(self) -> bytes:
        return self._open_sheet()

    def rows(self, rows: Sequence[Row]) -> bytes:
        return b"".join(self._pieces(rows))

    def pause(self) -> tuple[bytes, bytes]:
        rest, place = self._archive.pause()
        return rest, msgspec.json.encode(_Stand(place, self._sheets, self._rows))

    def end(self) -> bytes:
        pieces = [self._close_sheet()]
        for name, content in _fixed_members(self._sheets):
            pieces += [self._archive.open(name), self._archive.write(content.encode()), self._archive.close()]
        return b"".join([*pieces, self._archive.end()])

    def _pieces(self, rows: Sequence[Row]) -> Iterator[bytes]:
        first = 0
        while first < len(rows):
            if self._rows == self._sheet_rows or self._archive.member_size > _SHEET_BYTES:
                yield self._close_sheet() + self._open_sheet()
            some = rows[first : first + min(_CHUNK_ROWS, self._sheet_rows - self._rows)]
            yield self._archive.write("".join(map(self._row, some)).encode())
            self._rows += len(some)
            first += len(some)

    def _row(self, row: Row) -> str:
        cells = [_BLANK if value is None else cell(value) for cell, value in zip(self._cells, row, strict=True)]
        return f"<row>{''.join(cells)}</row>"

    def _open_sheet(self) -> bytes:
        self._sheets += 1
        self._rows = 1
        names = "".join(_text_cell(column.name, style=3) for column in self._columns)
        widths = "".join(
            f'<col min="{place}" max="{place}" width="{_WIDTHS[column.content]}" customWidth="1"/>'
            for place, column in enumerate(self._columns, 1)
        )
        head = (
            f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
            f"<cols>{widths}</cols><sheetData><row>{names}</row>"
        )
        return self._archive.open(f"xl/worksheets/sheet{self._sheets}.xml") + self._archive.write(head.encode())

    def _close_sheet(self) -> bytes:
        return self._archive.write(b"</sheetData></worksheet>") + self._archive.close()


_BLANK = "<c/>"


def _text_cell(value: Value, style: int = 0) -> str:
    text = str(value)
    if _ESCAPED.search(text):
        text = _ESCAPED.sub(_escape, text)
    return f'<c{_style(style)} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _escape(found: re.Match[str]) -> str:
    text = found[0]
    # What is no character of XML, and what looks like one that was written so (ECMA-376, part 1, 22.9.2.19).
    return _MARKS.get(text) or (f"_x{ord(text):04X}_" if len(text) == 1 else f"_x005F{text}")


def _day_cell(value: Value) -> str:
    assert isinstance(value, date)
    if value < _FIRST_DAY:
        return _text_cell(value.isoformat())
    return f'<c s="1"><v>{value.toordinal() - _DAY_0}</v></c>'


def _count_cell(value: Value) -> str:
    return f"<c><v>{value}</v></c>"


def _money_cell(value: Value) -> str:
    assert isinstance(value, int)
    return f'<c s="2"><v>{pesos(value)}</v></c>'


def _mean_cell(value: Value) -> str:
    return f'<c s="2"><v>{value!r}</v></c>'


def _style(style: int) -> str:
    return f' s="{style}"' if style else ""


_CELLS: dict[Content, Callable[[Value], str]] = {
    "text": _text_cell,
    "day": _day_cell,
    "count": _count_cell,
    "money": _money_cell,
    "mean": _mean_cell,
}


def _fixed_members(sheets: int) -> Iterator[tuple[str, str]]:
    """What names the sheets and says what they are."""
    numbers = range(1, sheets + 1)
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{each}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for each in numbers
    )
    yield (
        "[Content_Types].xml",
        (
            f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{parts}</Types>'
        ),
    )
    yield "_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")])
    named = "".join(f'<sheet name="Sheet{each}" sheetId="{each}" r:id="rId{each}"/>' for each in numbers)
    yield (
        "xl/workbook.xml",
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{named}</sheets></workbook>',
    )
    yield (
        "xl/_rels/workbook.xml.rels",
        _relations([*(("worksheet", f"worksheets/sheet{each}.xml") for each in numbers), ("styles", "styles.xml")]),
    )
    yield "xl/styles.xml", _STYLES


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    named = "".join(
        f'<Relationship Id="rId{place}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for place, (kind, target) in enumerate(targets, 1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{named}</Relationships>'
