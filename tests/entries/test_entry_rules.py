"""Pure parts of the entry log."""

from __future__ import annotations

import csv
import io
import unicodedata
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bposite.entries.rules import cells, chart, moments, way, words

PUNE = ZoneInfo("Asia/Kolkata")
BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
HIDDEN = [
    "",
    " ",
    "\u200b",
    "\ufeff",
    "\u202e",
    "\t",
    "\r",
    "\n",
    "\u00a0",
    "\u2060",
    "\u00ad",
    "\x00",
    "\x01",
    "\u0301",
]


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "|", "%"])
def test_no_formula_survives_whatever_hides_before_it(hidden: str, sign: str) -> None:
    assert cells.cell(f"{hidden}{sign}1+1").startswith("'")


@pytest.mark.parametrize("text", ["Ananya Deshpande", "E-1001", "نور جهان", "", "a=1", "3 - 4", "'=x"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert cells.cell(text) == text


def test_our_own_values_are_written_plainly() -> None:
    assert [cells.cell(value) for value in (-7, True, None, NINE)] == ["-7", "yes", "", "2026-11-23T09:00:00+00:00"]


@given(st.lists(st.text(), min_size=1, max_size=6))
def test_a_line_reads_back_as_one_row_and_starts_no_formula(values: list[str]) -> None:
    rows = list(csv.reader(io.StringIO(cells.line(values), newline="")))
    assert len(rows) == 1
    assert len(rows[0]) == len(values)
    for got in rows[0]:
        ink = next((one for one in got if unicodedata.category(one)[0] not in "CZM"), "")
        assert ink not in set("=+-@＝＋－＠")


@pytest.mark.parametrize(
    ("text", "end", "wanted"),
    [
        ("2026-11-23", False, datetime(2026, 11, 22, 18, 30, tzinfo=UTC)),
        ("2026-11-23", True, datetime(2026, 11, 23, 18, 30, tzinfo=UTC)),
        ("2026-11-23T14:07", False, datetime(2026, 11, 23, 8, 37, tzinfo=UTC)),
        (" 2026-11-23 14:07:31 ", True, datetime(2026, 11, 23, 8, 37, 31, tzinfo=UTC)),
        ("2026-11-23T14:07:31.25Z", False, datetime(2026, 11, 23, 14, 7, 31, 250_000, tzinfo=UTC)),
        ("2026-11-23T14:07+05:30", False, datetime(2026, 11, 23, 8, 37, tzinfo=UTC)),
        ("2026-11-23T14:07-03:00", False, datetime(2026, 11, 23, 17, 7, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_the_sites_zone(text: str, end: bool, wanted: datetime) -> None:
    assert moments.typed_moment(text, PUNE, end=end) == wanted


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-W47-1", "20261123", "2026-13-01", "2026-02-30", "2026-11-23T25:00", "٢٠٢٦-١١-٢٣",
     "1999-12-31", "9999-12-31", "2026-11-23T14:07+99:00", "0000-01-01", "2026-11-23T14:07:60"],
)  # fmt: skip
def test_wrong_times_are_refused_with_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"Type|no such"):
        moments.typed_moment(text, PUNE)


def test_a_day_is_as_long_as_the_clock_says() -> None:
    since = moments.typed_moment("2026-10-25", BERLIN)
    until = moments.typed_moment("2026-10-25", BERLIN, end=True)
    assert until - since == timedelta(hours=25)


def test_a_program_has_to_say_its_offset() -> None:
    assert moments.sent_moment("2026-11-23T09:00:00Z") == NINE
    for text in ("2026-11-23T09:00:00", "2026-11-23", "x"):
        with pytest.raises(ValueError, match="offset"):
            moments.sent_moment(text)


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_a_value_error(text: str) -> None:
    try:
        found = moments.typed_moment(text, PUNE)
    except ValueError:
        return
    assert found.tzinfo is UTC


def test_bars_fill_the_width_and_show_the_smallest_count() -> None:
    hour = timedelta(hours=1)
    drawn = chart.chart([(NINE, 0, 0), (NINE + hour, 1000, 3), (NINE + 2 * hour, 1, 0)], NINE + 3 * hour, PUNE)
    assert [bar.height for bar in drawn.bars] == [0.0, chart.HEIGHT, 2.0]
    assert drawn.bars[1].low_height == 2.0
    assert drawn.bars[-1].x + drawn.bars[-1].width + chart.GAP == pytest.approx(chart.WIDTH)
    assert (drawn.total, drawn.notable, drawn.peak) == (1001, 3, 1000)
    assert drawn.bars[1].title == "23 Nov 15:30 to 16:30: 1000, 3 to look at"


@given(st.integers(1, 400 * 86400))
def test_labels_are_few_and_inside(seconds: int) -> None:
    found = chart.ticks(NINE, NINE + timedelta(seconds=seconds), PUNE)
    assert len(found) <= 9
    assert all(0 < tick.x < chart.WIDTH for tick in found)
    assert [tick.x for tick in found] == sorted(tick.x for tick in found)


def passage(minute: int, left: str, entered: str) -> way.Passage:
    """A passage ``minute`` minutes after nine."""
    return way.Passage(minute, NINE + timedelta(minutes=minute), f"{left}-{entered}", left, entered)


def test_a_way_is_stays_between_passages() -> None:
    found = way.stays(
        [
            passage(30, "ops", "lobby"),
            passage(0, "outside", "lobby"),
            passage(10, "lobby", "ops"),
            passage(40, "lobby", "outside"),
        ],
        frozenset({"outside"}),
    )
    assert [(stay.zone, stay.sure) for stay in found] == [("lobby", True), ("ops", True), ("lobby", True)]
    assert found[-1].until == NINE + timedelta(minutes=40)


def test_a_jump_is_marked_not_hidden() -> None:
    found = way.stays([passage(0, "outside", "lobby"), passage(9, "ops", "server")], frozenset({"outside"}))
    assert [(stay.zone, stay.sure, stay.until is None) for stay in found] == [
        ("lobby", False, False),
        ("server", True, True),
    ]


def test_bands_lie_on_the_axis() -> None:
    found = way.stays([passage(0, "outside", "lobby"), passage(30, "lobby", "ops")], frozenset({"outside"}))
    drawn = way.bands(found, NINE, NINE + timedelta(minutes=60))
    assert [(band.x, band.width) for band in drawn] == [(0.0, 500.0), (500.0, 500.0)]


@pytest.mark.parametrize(
    ("cls", "decision", "notable", "status"),
    [
        ("access", "granted", False, "granted"),
        ("access", "denied", True, "refused"),
        ("access", "taken", False, "granted"),
        ("access", "not-taken", False, "unknown"),
        ("alarm", None, True, "alarm"),
        ("alarm", None, False, "unknown"),
        ("system", None, True, "attention"),
    ],
)
def test_every_entry_has_a_status_and_a_word(cls: str, decision: str | None, notable: bool, status: str) -> None:
    badge = words.answer(cls, decision, notable)
    assert badge.status == status
    assert badge.word
