"""Credentials never leave the address they came in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bposite.cameras.rules.address import Address, parse, scrub


def test_credentials_are_split_off_and_put_back_for_the_library_only() -> None:
    address = parse(" rtsp://admin:p%40ss@192.0.2.7:554/stream1?x=1#frag ")
    assert address == Address("rtsp://192.0.2.7:554/stream1?x=1", "admin", "p@ss")
    assert address.full() == "rtsp://admin:p%40ss@192.0.2.7:554/stream1?x=1"
    assert "p@ss" not in repr(address)
    assert "admin" not in repr(address)


@given(st.text(min_size=1, max_size=30).filter(str.isprintable), st.text(max_size=30))
def test_any_credentials_survive_the_way_there_and_back(username: str, password: str) -> None:
    address = Address("rtsp://192.0.2.7/s", username, password)
    assert parse(address.full()) == address


@pytest.mark.parametrize(
    "text", ["", "camera", "ftp://host/x", "rtsp:///x", "rtsp://host:99999/x", "rtsp://[::1/x", "javascript:alert(1)"]
)
def test_what_is_no_camera_address_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        parse(text)


def test_ipv6_and_files_are_addresses() -> None:
    assert parse("rtsp://u:p@[2001:db8::1]:8554/a").url == "rtsp://[2001:db8::1]:8554/a"
    assert parse("file:///srv/demo.mp4") == Address("file:///srv/demo.mp4")


def test_messages_of_libraries_are_scrubbed() -> None:
    raw = "[Errno 111] Connection refused: 'rtsp://admin:secret@192.0.2.7:554/a' (rtsp://u:p@h/x)"
    clean = scrub(raw)
    assert "secret" not in clean
    assert "u:p" not in clean
    assert "192.0.2.7" in clean
