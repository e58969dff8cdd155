"""The quick strict reader against a slow one that is plainly right."""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bposite.doors.wire.strict import MalformedError, parse, plain_pairs


class SlowNo(Exception):
    """The slow reader refuses."""


def slowly(payload: bytes) -> Any:
    """Strict JSON with nothing clever: one hook per rule."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in items}) != len(items):
            raise SlowNo
        return dict(items)

    def constant(word: str) -> Any:
        raise SlowNo

    try:
        value = json.loads(payload.decode("utf-8"), object_pairs_hook=pairs, parse_constant=constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise SlowNo from None
    check(value, 0)
    return value


def check(value: Any, depth: int) -> None:
    """Bounds of what may be kept."""
    if isinstance(value, dict | list):
        depth += 1
        if depth > 32:
            raise SlowNo
        for key in value if isinstance(value, dict) else ():
            check(key, depth)
        for inner in value.values() if isinstance(value, dict) else value:
            check(inner, depth)
    elif (
        (isinstance(value, str) and "\0" in value)
        or (isinstance(value, float) and not math.isfinite(value))
        or (isinstance(value, int) and not -(2**63) <= value < 2**64)
    ):
        raise SlowNo


LETTERS = st.sampled_from(["a", "b", ":", '"', "\\", " ", "é", "\0", "{", "}", ",", "\ud800", "1"])
TEXTS = st.text(LETTERS, max_size=4) | st.text(max_size=4)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.integers(2**62, 2**66)


@st.composite
def spelled(draw: st.DrawFn, depth: int = 3) -> str:
    """JSON text, or nearly: any spacing, keys that come twice, escapes and raw characters."""
    space = draw(st.sampled_from(["", "", "", " ", "\n", "\t", "\r", "\x0b"]))
    kind = draw(st.integers(0, 3)) if depth else 0
    if kind == 0:
        value = draw(SCALARS)
        ascii_only = draw(st.booleans())
        return space + json.dumps(value, ensure_ascii=ascii_only) + space
    inner = draw(st.lists(spelled(depth - 1), max_size=3))
    if kind == 1:
        return f"[{','.join(inner)}]"
    keys = draw(st.lists(TEXTS, min_size=len(inner), max_size=len(inner)))
    names = [json.dumps(key, ensure_ascii=draw(st.booleans())) for key in keys]
    return "{" + ",".join(f"{name}{space}:{value}" for name, value in zip(names, inner, strict=True)) + "}"


DAMAGE = st.tuples(st.integers(0, 60), st.binary(max_size=2))


def both(payload: bytes) -> None:
    """Both readers refuse, or both read the same."""
    try:
        expected = slowly(payload)
    except SlowNo:
        with pytest.raises(MalformedError):
            parse(payload)
        return
    assert repr(parse(payload)) == repr(expected)


@given(spelled())
@example('{"a":1,"a":1}')
@example('{"a" :1,"a":1,"b":":"}')
@example('{":":1,":":2}')
@example('{"a":{"b":1},"a":[]}')
@example('{"a":"\\":","a":1}')
@example("-0")
@example("1e400")
@example("18446744073709551616")
def test_same_as_the_slow_reader(text: str) -> None:
    both(text.encode("utf-8", "surrogatepass"))


@given(spelled(), DAMAGE)
def test_same_as_the_slow_reader_on_damaged_text(text: str, damage: tuple[int, bytes]) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    at = min(damage[0], len(raw))
    both(raw[:at] + damage[1] + raw[at + len(damage[1]) :])


@given(st.binary(max_size=60))
def test_same_as_the_slow_reader_on_any_bytes(payload: bytes) -> None:
    both(payload)


@given(st.dictionaries(st.text("abc", max_size=3), st.integers(0, 9), max_size=6))
def test_the_quick_way_is_taken_for_plain_messages(body: dict[str, int]) -> None:
    assert plain_pairs(json.dumps(body).encode()) == len(body)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "empty"),
        (b" " * 65537, "too-large"),
        (b'"' + b"a" * 65535 + b'"', "too-large"),
        (b'{"a":"\xff"}', "not-utf8"),
        (b"{not json", "bad-json"),
        (b'{"seq":NaN}', "bad-json"),
        (b'{"seq":-Infinity}', "bad-json"),
        (b'{"a":1}{"a":1}', "bad-json"),
        (b"\xef\xbb\xbf{}", "bad-json"),
        (b'"\\ud800"', "bad-json"),
        (b'{"a":1,"a":1}', "duplicate-key"),
        (b'{"a":1,"\\u0061":1}', "duplicate-key"),
        (b'{"x":{"a":1,"a" : 1}}', "duplicate-key"),
        (b"[" * 33 + b"]" * 33, "too-deep"),
        (b"[" * 60000, "too-deep"),
        (b'{"a":' * 9000, "too-deep"),
        (b'"\\u0000"', "bad-value"),
        (b"1e999", "bad-value"),
        (b"18446744073709551616", "bad-value"),
        (b"9" * 5000, "bad-json"),
    ],
)
def test_codes(payload: bytes, code: str) -> None:
    with pytest.raises(MalformedError) as fault:
        parse(payload)
    assert fault.value.code == code


@pytest.mark.parametrize(
    "payload",
    [b"[" * 32 + b"]" * 32, b'["' + b"[" * 60 + b'"]', b'"' + b"a" * 65534 + b'"', b'{"a":{"b":1},"c":{"b":1}}'],
)
def test_within_the_limits(payload: bytes) -> None:
    assert parse(payload) == json.loads(payload)
