"""A CSV of any spreadsheet is read, what is none is refused in bounded time, and nothing that is written runs in one."""

from __future__ import annotations

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.pipeline.camera_table import MOST_BYTES, MOST_ROWS, TableRefused, read_table, write_table

ROWS = [{"name": "gate", "site": "Old Town, North"}, {"name": "pier", "site": 'The "Pier"'}]


@pytest.mark.parametrize(
    "text",
    [
        'name,site\ngate,"Old Town, North"\npier,"The ""Pier"""\n',
        'name;site\r\ngate;Old Town, North\r\npier;"The ""Pier"""\r\n',
        'name\tsite\ngate\tOld Town, North\npier\t"The ""Pier"""',
        '\ufeffName ; SITE\r\n"gate";"Old Town, North"\r\n;;\r\n\r\npier;"The ""Pier"""\r\n',
        'sep=;\r\nname;site\r\ngate;Old Town, North\r\npier;"The ""Pier"""\r\n',
        '"sep=,"\nname,site\n# gate,left out\ngate,"Old Town, North"\npier,"The ""Pier""",\n',
    ],
)
def test_every_spreadsheet_s_way_is_read(text: str) -> None:
    table = read_table(text.encode())
    assert table.columns == ("name", "site")
    assert [dict(row.cells) for row in table.rows] == ROWS
    assert table.problems == ()


def test_lines_are_those_of_an_editor() -> None:
    table = read_table(b'# cameras\n\nname,note\ngate,"two\nlines"\n\npier,x,y\n')
    assert [(row.line, row.cells["name"]) for row in table.rows] == [(4, "gate"), (7, "pier")]
    assert [(problem.line, "more cells" in problem.problem) for problem in table.problems] == [(7, True)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"name,url\n", "no cameras"),
        (b"PK\x03\x04" + b"\0" * 200, "ZIP"),
        (b"\x1f\x8b\x08" + b"\0" * 200, "gzip"),
        ("name,site\ngate,Zürich\n".encode("latin-1"), "line 2.*Latin-1"),
        ("name\ngate\n".encode("utf-16"), "UTF-16"),
        (b"name\nga\0te\n", "line 2.*NUL"),
        (b'name\n"gate\n' + b"x\n" * 20, "line 2.*quotes"),
        (b'name\n"gate"x\n', "line 2.*quotes"),
        (b"name," + b"x," * 1_000_000, "characters"),
        (b"name," + b"x," * 100, "columns"),
        (b"name\n" + b"a," * 100 + b"\n", "line 2.*cells"),
        (b"name\n" + b"a" * 100_000 + b"\n", "line 2.*characters"),
        (b'name\n"' + b"a\n" * 200_000 + b'"\n', "line 2"),
        (b"name\n" + b"a\n" * (MOST_ROWS + 1), "more than"),
        (b"x" * (MOST_BYTES + 1), "larger"),
        (b"\n" * MOST_BYTES, "empty"),
        (b'"' * MOST_BYTES, "characters"),
    ],
    ids=lambda each: str(each)[:20],
)
def test_what_is_no_table_is_refused_at_once(content: bytes, says: str) -> None:
    started_s = time.perf_counter()
    with pytest.raises(TableRefused, match=says):
        read_table(content)
    assert time.perf_counter() - started_s < 2


def test_a_cell_that_no_setting_can_hold_is_told() -> None:
    table = read_table(("name,site,note\na,x\x1b[31m,ok\nb," + "y" * 5000 + ',"a\nb"\n').encode())
    assert [(problem.line, problem.column) for problem in table.problems] == [(2, "site"), (3, "site")]


@given(st.binary(max_size=300) | st.text(alphabet="a,;\t\"\n\r'=#\0é", max_size=200).map(str.encode))
def test_whatever_is_given_is_read_or_refused(content: bytes) -> None:
    try:
        read = read_table(content).rows
    except TableRefused as error:
        read = error.problems
    assert all(each.line >= 1 for each in read)
    assert read


_words = st.text(alphabet="aé=+-@';,\"| ", min_size=1, max_size=12).map(str.strip).filter(bool)


@given(
    st.lists(st.fixed_dictionaries({"name": st.just("x") | _words.map(lambda word: f"n{word}"), "site": _words}), min_size=1, max_size=5)
)
def test_what_is_written_is_read_again_and_runs_nowhere(rows: list[dict[str, str]]) -> None:
    text = write_table(("name", "site"), rows)
    assert [dict(row.cells) for row in read_table(text.encode()).rows] == rows
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
