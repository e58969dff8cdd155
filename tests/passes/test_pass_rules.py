"""The pass code, the pass machine and the medium machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bposite.passes.machine import Machine, Move
from bposite.passes.rules import (
    ALPHABET,
    CODE_LETTERS,
    MEDIUM_MACHINE,
    PASS_MACHINE,
    MediumState,
    PassEvent,
    PassState,
    ReadingKind,
    encode,
    new_short_code,
    normal,
    read,
    reconciled,
    spoken,
)

codes = st.binary(min_size=16, max_size=16).map(encode)


@given(codes)
def test_a_code_has_36_letters_of_the_alphabet_and_reads_back(code: str) -> None:
    assert len(code) == CODE_LETTERS == 36
    assert set(code) <= set(ALPHABET)
    assert read(code).kind is ReadingKind.CODE
    assert read(code).text == code


@given(codes, st.integers(0, 35), st.sampled_from(ALPHABET))
def test_one_wrong_letter_is_always_a_misread(code: str, place: int, letter: str) -> None:
    wrong = code[:place] + letter + code[place + 1 :]
    assert read(wrong).kind is (ReadingKind.CODE if wrong == code else ReadingKind.MISREAD)


@given(codes, st.integers(0, 34))
def test_two_swapped_neighbours_are_always_a_misread(code: str, place: int) -> None:
    wrong = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert read(wrong).kind is (ReadingKind.CODE if wrong == code else ReadingKind.MISREAD)


@given(codes, st.integers(0, 143), st.integers(0, 143))
def test_any_two_flipped_bits_are_always_a_misread(code: str, first: int, second: int) -> None:
    values = [ALPHABET.index(letter) for letter in code]
    for bit in (first, second):
        values[bit // 4] ^= 1 << (bit % 4)
    wrong = "".join(ALPHABET[value] for value in values)
    assert read(wrong).kind is (ReadingKind.CODE if wrong == code else ReadingKind.MISREAD)


@given(codes)
def test_caps_lock_blanks_and_line_ends_of_a_wedge_do_no_harm(code: str) -> None:
    assert read(f"  {code.lower()}\r\n").text == code
    assert read(" ".join(code[i : i + 4] for i in range(0, 36, 4))).text == code


@given(st.text(max_size=300))
def test_reading_never_raises_and_keeps_foreign_text_out(text: str) -> None:
    reading = read(text)
    assert set(reading.text) <= set(ALPHABET)
    assert (reading.kind is ReadingKind.MISREAD) == (reading.text == "")


def test_letters_of_other_scripts_are_not_taken_for_ours() -> None:
    assert normal("ß") == "ß"
    assert read("ﬀßſĸ" * 9).kind is ReadingKind.MISREAD
    assert read("В" * 8).kind is ReadingKind.MISREAD  # Cyrillic, looks like B


def test_a_code_needs_all_its_random_bits() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        encode(b"short")


@given(st.binary(min_size=4, max_size=4))
def test_a_short_code_survives_being_spoken(bits: bytes) -> None:
    short = new_short_code(lambda count: bits[:count])
    assert len(short) == 8
    assert read(spoken(short).lower()) == read(short)
    assert read(short).kind is ReadingKind.SHORT


@pytest.mark.parametrize("machine", [PASS_MACHINE, MEDIUM_MACHINE])
def test_every_state_is_reachable_and_drawn(machine: Machine[PassState, PassEvent]) -> None:
    assert machine.reachable() == frozenset(machine.states())
    drawing = machine.diagram()
    assert all(str(state) in drawing for state in machine.states())
    assert drawing.count("-->") == len(machine.moves) + len(machine.final()) + 1


def test_an_ended_pass_stays_ended() -> None:
    assert PASS_MACHINE.final() == {PassState.ENDED}
    assert all(PASS_MACHINE.after(PassState.ENDED, event) is None for event in PassEvent)


def test_an_issued_pass_cannot_be_resumed_past_the_desk() -> None:
    assert PASS_MACHINE.after(PassState.ISSUED, PassEvent.RESUME) is None
    assert PASS_MACHINE.after(PassState.ISSUED, PassEvent.SUSPEND) is None


def test_contradicting_arrows_are_a_programming_error() -> None:
    twice = (
        Move(PassState.ISSUED, PassEvent.ARM, PassState.ARMED),
        Move(PassState.ISSUED, PassEvent.ARM, PassState.ENDED),
    )
    with pytest.raises(ValueError, match="two arrows"):
        Machine("wrong", PassState.ISSUED, twice)


def test_a_day_adds_up_only_when_no_medium_is_open() -> None:
    assert reconciled({MediumState.RETURNED: 3, MediumState.VOID: 1, MediumState.MISSING: 1})
    assert not reconciled({MediumState.RETURNED: 3, MediumState.ISSUED: 1})
    assert not reconciled({MediumState.PRINTING: 1})
