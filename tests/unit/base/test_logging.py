"""No secret passes the sink, however it is written."""

import contextlib
import io
import json
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.errors import CameraRefused
from lamppost.base.logging import configure_logging, get_logger, redact

# What a person may choose as a password and FFmpeg prints: everything but white space and quotes.
secrets = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="'\"*"), min_size=6, max_size=30).map(
    lambda text: f"c4n4ry{text}"
)
users = st.text(st.characters(categories=("Ll", "Nd"), max_codepoint=126), max_size=8)


@given(users, secrets, st.sampled_from(["rtsp", "rtsps", "http", "RTSP"]), st.text(max_size=20))
def test_a_password_in_a_url_is_cut_out(user: str, secret: str, scheme: str, around: str) -> None:
    text = redact(f"{around} {scheme}://{user}:{secret}@10.0.0.7:554/stream?x=1 failed")
    assert "c4n4ry" not in text
    assert "10.0.0.7:554/stream" in text
    assert f"{user}:***@" in text


@given(st.text("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", min_size=10, max_size=58), st.booleans())
def test_an_age_identity_is_cut_out(body: str, is_lower: bool) -> None:
    identity = f"AGE-SECRET-KEY-1{body}"
    text = redact(f"key {identity.lower() if is_lower else identity}.")
    assert body.lower() not in text.lower()


@given(
    secrets.filter(lambda text: not set(text) & set("&,;")),
    st.sampled_from(["password=%s", "user=admin_password=%s", "token: %s", '"secret": "%s"', "PWD=%s&a=1"]),
)
def test_a_named_secret_is_cut_out(secret: str, form: str) -> None:
    assert "c4n4ry" not in redact(form % secret)


def test_what_is_no_secret_stays() -> None:
    for text in ("rtsp://10.0.0.7/live", "rtsp://10.0.0.7:554/live", "sim://plaza?seed=1", "14:05:33 a@b", "recipient age1xyz"):
        assert redact(text) == text


@pytest.fixture
def _logging() -> Iterator[None]:
    configure_logging(process="test", as_json=True)
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.mark.usefixtures("_logging")
@given(secret=secrets)
def test_no_field_no_message_and_no_traceback_carries_a_secret(secret: str) -> None:
    url = f"rtsp://admin:{secret}@10.0.0.7/live"
    output = io.StringIO()
    with contextlib.redirect_stderr(output):
        log = get_logger("ingest")
        log.warning(f"cannot open {url}", url=url, error=CameraRefused(f"refused by {url}"))
        log.error("nested", settings={"camera": {"url": url}, "list": [url, (url,)]}, raw=url.encode(), password=secret)
        try:
            raise CameraRefused(f"refused by {url}")
        except CameraRefused:
            log.exception("refused")
    assert "c4n4ry" not in output.getvalue()
    first = json.loads(output.getvalue().splitlines()[0])
    assert (first["room"], first["process"], first["level"]) == ("ingest", "test", "warning")


@pytest.mark.usefixtures("_logging")
def test_the_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    get_logger("x").debug("quiet")
    get_logger("x").info("loud")
    assert "quiet" not in capsys.readouterr().err


def test_a_logger_is_never_used_without_redaction(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.reset_defaults()
    try:
        get_logger("record").warning("refused", password="c4n4ry", url="rtsp://user:c4n4ry@10.0.0.7/")
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
    output = capsys.readouterr()
    assert output.out == ""
    assert "refused" in output.err
    assert "c4n4ry" not in output.err
