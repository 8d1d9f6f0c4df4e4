"""What no answer holds is refused before it costs anything; what devices really send is read."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.errors import UnreadableReply
from lamppost.cameras.onvif import xml

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
HOSTILE = {
    "a document type": b'<!DOCTYPE a SYSTEM "http://192.0.2.1/a.dtd"><a/>',
    "an entity from a file": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "an entity from elsewhere": b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://192.0.2.1/">%x;]><a/>',
    "billion laughs": f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a>&l11;</a>'.encode(),
    "laughs in an attribute": f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a b="&l11;"/>'.encode(),
    "one huge entity": b'<!DOCTYPE a [<!ENTITY x "' + b"A" * 100_000 + b'">]><a>' + b"&x;" * 100_000 + b"</a>",
    "a document type in UTF-16": '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("utf-16"),
    "UTF-16 without a mark": '<?xml version="1.0" encoding="utf-16"?><a/>'.encode("utf-16-be"),
    "UTF-32": "<a/>".encode("utf-32"),
    "a document type in UTF-7": b'<?xml version="1.0" encoding="utf-7"?>+ADw-!DOCTYPE a [+ADw-!ENTITY x "y"+AD4-]+AD4-<a/>',
    "letters of a mainframe": '<?xml version="1.0" encoding="cp037"?><!DOCTYPE a><a/>'.encode("cp037"),
    "unknown letters": b'<?xml version="1.0" encoding="klingon"?><a/>',
    "two declarations": b'<?xml version="1.0"?><?xml version="1.0" encoding="utf-7"?><a/>',
    "a declaration without an end": b'<?xml version="1.0" encoding="utf-7"' + b" " * 9000 + b"?><a/>",
    "an unknown entity": b"<a>&unknown;</a>",
    "nested deep": b"<a>" * 100 + b"</a>" * 100,
    "nested very deep": b"<a>" * 100_000 + b"</a>" * 100_000,
    "many elements": b"<a>" + b"<b/>" * 200_000 + b"</a>",
    "rather many elements": b"<a>" + b"<b/>" * 20_000 + b"</a>",
    "many attributes": b"<a " + b" ".join(b'a%d="x"' % n for n in range(100_000)) + b"/>",
    "rather many attributes": b"<a " + b" ".join(b'a%d="x"' % n for n in range(1000)) + b"/>",
    "many namespaces": b"<a " + b" ".join(b'xmlns:a%d="urn:%d"' % (n, n) for n in range(50_000)) + b"/>",
    "a page": b"<!doctype html><html><body><br></body></html>",
    "nothing": b"",
    "white space": b" \r\n\t ",
    "nothing but zeros": b"\0" * 1000,
    "a zero inside": b"<a>\0</a>",
    "no end": b"<a><b>",
    "two roots": b"<a/><b/>",
    "wrong letters": b'<?xml version="1.0" encoding="utf-8"?><a>\xff\xfe</a>',
    "wrong Chinese letters": b'<?xml version="1.0" encoding="gb2312"?><a>\xff\xff</a>',
    "no end beside a prefix that nobody declares": b"<x:a><x:b>",
    "no end beside a bare ampersand": b"<a>rtsp://h/?a&b=1<c></a>",
    "an unknown entity beside a bare ampersand": b"<a>x & y &unknown;</a>",
    "a reference to no letter": b"<a>&#0;</a>",
    "more prefixes than any answer has": b"<a>" + b"".join(b"<p%d:b/>" % n for n in range(18_000)) + b"</a>",
    "a name of nothing but brackets": b"<" * 59_000,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_no_answer_holds_is_refused_at_once(what: str) -> None:
    began_s = time.thread_time()
    with pytest.raises(UnreadableReply) as refused:
        xml.parse(HOSTILE[what])
    assert time.thread_time() - began_s < 1.0
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "content",
    [
        "<a>Kö</a>".encode(),
        b"\xef\xbb\xbf<a>K\xc3\xb6</a>",
        b"\r\n <?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n<a>K\xc3\xb6</a>\r\n",
        b'<?xml version="1.0" encoding="ISO-8859-1"?><a>K\xf6</a>',
        b'<?xml version="1.0"?><!-- <b> --><?x y?><a>K\xc3\xb6</a>\0\0',
        b'<?xml version="1.0" encoding="gb18030"?><a>K\x81\x30\x8b\x32</a>',
    ],
)
def test_what_devices_send_is_read(content: bytes) -> None:
    root = xml.parse(content)
    assert (xml.local_name(root), len(root)) == ("a", 0)
    assert xml.text_of(root)[:1] == "K"


def test_a_text_of_a_megabyte_is_cut_where_it_is_shown() -> None:
    root = xml.parse(b"<a b='" + b"y" * (1 << 19) + b"'>" + b"x\n" * (1 << 18) + b"</a>")
    assert xml.text_of(root, 20) == "x x x x x x x x x x"


@given(st.binary(max_size=400))
def test_bytes_are_a_document_or_are_refused(content: bytes) -> None:
    try:
        root = xml.parse(content)
    except UnreadableReply:
        return
    assert xml.local_name(root)


@given(st.text(max_size=200), st.sampled_from(["utf-8", "iso-8859-1", "gb18030"]))
def test_a_text_comes_through_whatever_its_letters(text: str, encoding: str) -> None:
    told = text.encode(encoding, "xmlcharrefreplace").decode(encoding)
    content = f'<?xml version="1.0" encoding="{encoding}"?><a><![CDATA[{told}]]></a>'.encode(encoding)
    try:
        root = xml.parse(content)
    except UnreadableReply:
        return
    assert (root.text or "") == told.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"<x:a>1</x:a>", "1"),
        (b"\n<r xmlns:y='urn:y'><y:a x:b='1'>1</y:a></r>", ""),
        (b"<a>rtsp://h/user=x&onvif=0.sdp</a>", "rtsp://h/user=x&onvif=0.sdp"),
        (b"<x:a>1 & 2 &amp; &#51;</x:a>", "1 & 2 & 3"),
    ],
)
def test_what_people_forget_in_templates_is_added_and_nothing_else(content: bytes, text: str) -> None:
    for _ in range(2):  # what was wrong with one document says nothing of the next
        assert xml.text_of(xml.parse(content)) == text
        with pytest.raises(UnreadableReply):
            xml.parse(b"<a><b>")


def test_an_element_is_written_out_with_its_namespaces_and_without_what_follows() -> None:
    root = xml.parse(b"<a xmlns:x='urn:x'><x:b>1</x:b> and more</a>")
    assert xml.text(root[0]) == '<x:b xmlns:x="urn:x">1</x:b>'


def test_children_are_found_by_name_one_in_the_other() -> None:
    root = xml.parse(b"<a xmlns:x='urn:x'><x:b><c>1</c></x:b><b><c>2</c></b></a>")
    assert xml.text_of(xml.child(root, "b", "c")) == "1"
    assert xml.child(root, "b", "d", "e") is None
