"""Reads a table of cameras from a CSV file, whoever wrote it, and writes one that a spreadsheet takes for text and never for formulas.

What is wrong with the file is told by line; how large it may be is known before any of it is taken apart.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from lamppost.base.errors import ConfigError

MOST_BYTES: Final = 4 << 20
MOST_ROWS: Final = 2000
MOST_COLUMNS: Final = 64
LONGEST_LINE: Final = 65_536
LONGEST_CELL: Final = 4000
_SEPARATORS: Final = (",", ";", "\t")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_SAVE_AS: Final = "save it as CSV in UTF-8"
_KINDS: Final = (
    (b"PK\x03\x04", "a ZIP file, as workbooks of Excel and LibreOffice are"),
    (b"PK\x05\x06", "an empty ZIP file"),
    (b"\x1f\x8b", "packed with gzip"),
    (b"\xd0\xcf\x11\xe0", "an old workbook of Excel"),
    (b"%PDF", "a PDF"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
)


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Something that is wrong in a table: the line, counted from 1 as an editor does, and the column where one can be named."""

    line: int
    column: str
    problem: str
    remedy: str = ""

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", {self.column}" if self.column else "")
        return f"{where}: {self.problem}" + (f" — {self.remedy}" if self.remedy else "")


class TableRefused(ConfigError):
    """A file that cannot be taken apart into rows; nothing was touched."""

    def __init__(self, line: int, problem: str, remedy: str = "") -> None:
        super().__init__(f"line {line}: {problem}" if line else problem, remedy=remedy)
        self.problems = (RowProblem(max(line, 1), "", problem, remedy),)


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: the line that it begins at, and its cells that are not empty, by column."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CameraTable:
    """A file taken apart: its columns as they are written, the line of the header, rows, and what is wrong with their form."""

    columns: tuple[str, ...]
    header_line: int
    rows: tuple[TableRow, ...]
    problems: tuple[RowProblem, ...]


def read_table_file(path: Path) -> bytes:
    """The bytes of a file, one more at most than may be, by which `read_table` knows; raises `ConfigError`."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", remedy="name a CSV file that this user may read") from error
    return content


def read_table(content: bytes) -> CameraTable:
    """The rows of a CSV file: separated by `,`, `;` or tabs, in UTF-8 with or without a mark. Raises `TableRefused` where there are none.

    Empty rows are left out, and so are those that begin with `#`. No cell keeps blanks around it but a password, which may not have any.
    """
    lines = _lines(_text(content))
    separator, header, header_line = _header(lines)
    columns = tuple(_column(name) for name in header)
    reader = _Rows(lines, separator, header_line)
    rows: list[TableRow] = []
    problems: list[RowProblem] = []
    for line, cells in reader:
        if not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#"):
            continue
        if len(rows) == MOST_ROWS:
            raise TableRefused(line, f"there are more than {MOST_ROWS} cameras", "split the file")
        extra = [cell for cell in cells[len(columns) :] if cell.strip()]
        if extra:
            problems.append(RowProblem(line, "", f"it has {len(extra)} more cells than the header has columns", "is something not quoted?"))
        kept = {name: _cell(name, cell) for name, cell in zip(columns, cells, strict=False) if cell.strip() and name}
        problems += _unreadable(line, kept)
        rows.append(TableRow(line, MappingProxyType(kept)))
    if not rows:
        raise TableRefused(0, "the file has a header and no cameras", "write one row for each camera")
    return CameraTable(columns, header_line, tuple(rows), tuple(problems))


def write_table(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """The rows as CSV. A cell that a spreadsheet would run begins with `'`; `read_table` takes that off again."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([safe_cell(row.get(column, "")) for column in columns])
    return text.getvalue()


def safe_cell(text: str) -> str:
    """`text` as a spreadsheet shows and does not run it."""
    return f"'{text}" if text.startswith((*_FORMULA, "'")) else text


class _Rows:
    """What the reader of CSV finds, each row with the line that it begins at; what it cannot read is a `TableRefused`."""

    def __init__(self, lines: Iterator[str], separator: str, header_line: int) -> None:
        self._reader = csv.reader(lines, delimiter=separator, strict=True)
        self._before = header_line

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        while True:
            line = self._before + self._reader.line_num + 1
            try:
                cells = next(self._reader, None)
            except csv.Error as error:
                raise TableRefused(line, "the quotes in this row do not fit together", 'write a quote within quotes as ""') from error
            if cells is None:
                return
            if len(cells) > MOST_COLUMNS:
                raise TableRefused(line, f"it has more than {MOST_COLUMNS} cells", "is this a table of cameras?")
            if cells:
                yield line, cells


def _text(content: bytes) -> str:
    """The file as text; raises `TableRefused` for what is none."""
    if len(content) > MOST_BYTES:
        raise TableRefused(0, f"the file is larger than {MOST_BYTES >> 20} MiB", f"{MOST_ROWS} cameras take far less; split it")
    for mark, what in _KINDS:
        if content.startswith(mark):
            raise TableRefused(0, f"this is no CSV file: it is {what}", _SAVE_AS)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TableRefused(line, "this is no UTF-8: it may be Latin-1 or Windows-1252", f'{_SAVE_AS} ("CSV UTF-8" in Excel)') from error
    at = text.find("\0")
    if at >= 0:
        raise TableRefused(text.count("\n", 0, at) + 1, "there is a NUL character in it", "is this a CSV file?")
    return text


def _lines(text: str) -> Iterator[str]:
    """Physical lines with their ends, each no longer than may be."""
    # Not splitlines(): it would end lines at characters that an editor shows within one.
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        if len(line) > LONGEST_LINE:
            raise TableRefused(number, f"the line has more than {LONGEST_LINE} characters", "is this a table of cameras?")
        yield line


def _header(lines: Iterator[str]) -> tuple[str, list[str], int]:
    """The separator, the names of the columns, and the line that they stand in."""
    separator = ""
    for number, line in enumerate(lines, 1):
        plain = line.strip("\r\n \ufeff")
        if not plain.strip('",;\t '):
            continue
        if not separator and plain.strip('"').lower().startswith("sep=") and len(plain.strip('"')) == 5:
            separator = plain.strip('"')[4]
            continue
        if plain.lower() == "sep=":  # a tab, of which the blank end was taken
            separator = "\t"
            continue
        if plain.startswith("#"):
            continue
        separator = separator if separator in _SEPARATORS else max(_SEPARATORS, key=plain.count)
        try:
            names = next(csv.reader([line], delimiter=separator, strict=True))
        except csv.Error as error:
            raise TableRefused(number, "the quotes in the header do not fit together") from error
        if len(names) > MOST_COLUMNS:
            raise TableRefused(number, f"the header has more than {MOST_COLUMNS} columns", "`lamppost camera import --template` shows them")
        return separator, names, number
    raise TableRefused(0, "the file is empty", "`lamppost camera import --template` prints a header with examples")


def _column(name: str) -> str:
    """As columns are called here: `Sub URL` is `sub_url`."""
    return "_".join(name.strip("\ufeff \t\r\n").lower().replace("-", " ").replace("_", " ").split())[:64]


def _cell(column: str, text: str) -> str:
    plain = text if column == "password" else text.replace("\u00a0", " ").strip()
    return plain[1:] if plain.startswith("'") and plain[1:].startswith((*_FORMULA, "'")) else plain


def _unreadable(line: int, cells: Mapping[str, str]) -> list[RowProblem]:
    """Cells that are too long, or hold what no setting can."""
    found: list[RowProblem] = []
    for column, text in cells.items():
        plain = text.replace("\n", " ").replace("\r", " ").replace("\t", " ") if column in ("note", "schedule") else text
        if len(text) > LONGEST_CELL:
            found.append(RowProblem(line, column, f"it has more than {LONGEST_CELL} characters", "make it shorter"))
        elif not plain.isprintable():
            found.append(RowProblem(line, column, "it holds a line break or another character that cannot be printed", "take that out"))
    return found
