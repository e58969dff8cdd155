"""The pure rules: permissions, names, passwords, codes, waits, sessions."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bposite.people import passwords, queries, rules, totp
from bposite.people.rules import Failures, LockPolicy

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
moments = st.timedeltas(timedelta(0), timedelta(days=5000)).map(lambda span: AT + span)
spans = st.timedeltas(timedelta(0), timedelta(days=400))


# --- permissions and roles


def test_every_permission_is_described_and_the_roles_of_the_file_use_no_other() -> None:
    assert set(rules.PERMISSIONS) == {rules.permission(name) for name in rules.PERMISSIONS}
    roles = queries.roles()
    assert set(roles) == {"reception", "guard", "facilities", "auditor", "administrator"}
    assert roles["administrator"].permissions == set(rules.PERMISSIONS)
    assert all("account:own" in role.permissions for role in roles.values())


def test_an_auditor_can_change_nothing() -> None:
    held = queries.roles()["auditor"].permissions - {"account:own"}
    assert all(name.rpartition(":")[2] in ("read", "export", "view") for name in held)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ({"x": {"title": "X", "summary": "", "landing": "/", "permissions": ["doors:open"]}}, "doors:open"),
        ({"x": {"title": "X", "summary": "", "landing": "/", "permissions": ["*"], "extra": 1}}, "extra"),
        ({"x": {"title": "X"}}, "summary"),
        ({"x": "all"}, "x"),
    ],
)
def test_a_wrong_role_is_named(text: dict[str, object], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        rules.roles_from(text)


@given(st.sets(st.sampled_from([*queries.roles(), "gone"])))
def test_more_roles_never_take_a_permission_away(names: set[str]) -> None:
    roles = queries.roles()
    held = rules.granted(roles, names)
    assert all(rules.granted(roles, {name}) <= held for name in names)


@given(st.sets(st.sampled_from(sorted(rules.PERMISSIONS))), st.sets(st.sampled_from(sorted(rules.PERMISSIONS))))
def test_a_token_never_holds_more_than_its_maker_and_never_administers(wanted: set[str], maker: set[str]) -> None:
    held = frozenset(rules.permission(name) for name in maker)
    try:
        scope = rules.token_scope(wanted, held)
    except ValueError:
        assert not wanted or wanted - held or wanted & rules.NEVER_FOR_TOKENS
    else:
        assert scope == wanted
        assert scope <= held
        assert not scope & rules.NEVER_FOR_TOKENS


# --- names, passwords, search


@given(st.text(max_size=80))
def test_a_user_name_is_its_own_normal_form(text: str) -> None:
    name = rules.user_name(text)
    if name is not None:
        assert rules.user_name(name) == rules.user_name(f"  {name.upper()} ") == name
        assert set(name) <= set(string.ascii_lowercase + string.digits + "._@+-")


@pytest.mark.parametrize("text", ["", ".", "a b", "a/b", "ä", "a\x00", "аdmin", "x" * 65, "-x", "x\ny"])
def test_what_cannot_be_a_user_name(text: str) -> None:
    assert rules.user_name(text) is None


@given(st.text(max_size=200), st.text(alphabet=string.ascii_lowercase, max_size=12))
def test_a_password_that_is_taken_is_long_varied_and_without_the_name(password: str, name: str) -> None:
    if rules.password_problem(password, name) is None:
        text = rules.normal_password(password)
        assert rules.MIN_PASSWORD <= len(text) <= rules.MAX_PASSWORD
        assert len(set(text)) >= 5
        assert len(name) < 4 or name not in text.lower()


@pytest.mark.parametrize(
    "password",
    ["short", "password1234", "P@ssw0rd2026", "qwertyuiop12", "aaaaaaaaaaaaaaaa", "abcdabcdabcd", "guard.pune.2026"],
)
def test_what_is_guessed_first_is_refused_in_words(password: str) -> None:
    problem = passwords.problem(password, "guard.pune")
    assert problem is not None
    assert problem.endswith(".")


@pytest.mark.parametrize(
    "password", ["correct horse battery staple", "पाऊस उद्या येणार आहे", "x9!kV quartz " * 9, "zebra lantern vote 3"]
)
def test_long_and_unrelated_is_good_in_any_script(password: str) -> None:
    assert passwords.problem(password, "guard.pune") is None


def test_a_password_is_the_same_from_every_keyboard_and_nobody_has_none() -> None:
    stored = passwords.hashed("Ångström über alles 12")
    assert passwords.matches(stored, "A\u030angstro\u0308m u\u0308ber alles 12")
    assert not passwords.matches(stored, "Angstrom uber alles 12")
    assert not passwords.matches(None, "nobody has this password")
    assert not passwords.matches("not a hash", "x")


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert rules.fold(rules.fold(text)) == rules.fold(text)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("Nguyen thi", "Nguyễn Thị Lan"), ("YILDIZ", "Mehmet Yıldız"), ("kovacs", "Zoltán Kovács"), ("soren", "Søren")],
)
def test_a_search_forgives_accents_and_case(typed: str, meant: str) -> None:
    assert rules.fold(typed) in rules.fold(meant)


@pytest.mark.parametrize(
    ("text", "good"),
    [("a@b.co", True), ("a@b", False), ("a b@c.de", False), ("@b.co", False), ("a@b.c\n", False)],
)
def test_the_shape_of_an_email_address(text: str, good: bool) -> None:
    assert rules.looks_like_email(text) is good


# --- codes


@given(moments, st.integers(-3, 3), st.integers(-3, 3))
def test_no_code_works_twice_and_none_before_it(at: datetime, first: int, second: int) -> None:
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    now = rules.step_of(at)
    accepted = totp.matching_step(secret, totp.code_at(secret, now + first), rules.open_steps(at, None))
    if accepted is None:
        assert abs(first) > rules.WINDOW
        return
    again = totp.matching_step(secret, totp.code_at(secret, now + second), rules.open_steps(at, accepted))
    assert again is None or again > accepted


def test_codes_are_those_of_rfc_6238() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # "12345678901234567890", appendix B, last six digits
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert totp.code_at(secret, seconds // 30) == code


@given(st.text(max_size=40))
def test_a_code_is_six_ascii_digits_or_nothing(text: str) -> None:
    code = rules.totp_code(text)
    assert code is None or (len(code) == 6 and set(code) <= set(string.digits))


def test_how_codes_may_be_typed() -> None:
    assert rules.totp_code(" 123 456 ") == "123456"
    assert rules.totp_code("²²²²²²") is rules.totp_code("١٢٣٤٥٦") is rules.totp_code("12345") is None
    assert rules.recovery_code("abcde-23456") == "ABCDE23456"
    assert rules.recovery_code("ABCDE-2345O") is rules.recovery_code("") is rules.recovery_code("ß" * 10) is None


# --- waits


policies = st.builds(
    LockPolicy,
    free=st.integers(0, 50),
    first=st.timedeltas(timedelta(seconds=1), timedelta(minutes=1)),
    longest=st.timedeltas(timedelta(minutes=1), timedelta(hours=1)),
    forget=st.timedeltas(timedelta(hours=1), timedelta(days=1)),
    drain=st.none() | st.timedeltas(timedelta(seconds=1), timedelta(hours=1)),
)


@given(policies, st.integers(1, 10**9), spans)
def test_a_wait_ends_by_itself_and_never_passes_its_limit(policy: LockPolicy, count: int, later: timedelta) -> None:
    failures = Failures(count, AT)
    left = rules.wait(failures, AT + later, policy)
    assert timedelta(0) <= left <= policy.longest
    assert rules.wait(failures, AT + policy.longest, policy) == timedelta(0)
    assert (rules.wait(failures, AT, policy) == timedelta(0)) == (count <= policy.free)


@given(policies, st.lists(st.timedeltas(timedelta(0), timedelta(hours=2)), max_size=30))
def test_waits_only_grow_while_failures_go_on(policy: LockPolicy, gaps: list[timedelta]) -> None:
    at, failures, longest = AT, None, timedelta(0)
    for gap in gaps:
        at += gap
        forgotten = failures is not None and at - failures.last >= policy.forget
        failures = rules.after_failure(failures, at, policy)
        assert failures.count == 1 if forgotten else failures.count >= 1
        wait = rules.wait(failures, at, policy)
        assert forgotten or policy.drain or wait >= longest
        longest = wait


def test_the_mistakes_of_a_large_site_behind_one_address_never_add_up_and_guessing_does() -> None:
    policy, failures = rules.LOCK_BY_ADDRESS, None
    for minute in range(0, 24 * 60, 1):  # two people a minute mistype, all day
        for second in (0, 25):
            at = AT + timedelta(minutes=minute, seconds=second)
            assert rules.wait(failures, at, policy) == timedelta(0)
            failures = rules.after_failure(failures, at, policy)
    tries, at, failures = 0, AT, None
    while at < AT + timedelta(hours=1):
        failures = rules.after_failure(failures, at, policy)
        tries += 1
        at += max(rules.wait(failures, at, policy), timedelta(seconds=1))
    assert tries < 300


def test_what_guessing_costs() -> None:
    """With the codes' three open steps, a year of guessing codes after a stolen password finds one in eight."""
    policy, at, failures, tries = rules.LOCK_BY_NAME, AT, None, 0
    while at < AT + timedelta(days=1):
        failures = rules.after_failure(failures, at, policy)
        tries += 1
        at += max(rules.wait(failures, at, policy), timedelta(seconds=1))
    assert tries <= 110
    assert 365 * tries * 3 / 10**6 < 0.13


# --- sessions and addresses


@given(spans, spans)
def test_a_session_is_over_when_idle_or_too_old_and_only_then(age: timedelta, idle: timedelta) -> None:
    idle = min(idle, age)
    over = rules.session_over(AT - age, AT - idle, AT)
    assert (over is None) == (age < rules.ABSOLUTE and idle < rules.IDLE)


@given(st.text(max_size=60))
def test_a_page_to_go_on_to_is_a_path_of_this_site(text: str) -> None:
    target = rules.safe_next(text)
    if target is not None:
        assert target == text
        assert target.startswith("/")
        assert target[1:2] not in ("/", "\\")
        assert not any(ord(letter) < 33 for letter in target)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(0), "1 second"),
        (timedelta(seconds=14.2), "15 seconds"),
        (timedelta(seconds=91), "2 minutes"),
        (timedelta(minutes=15), "15 minutes"),
    ],
)
def test_waiting_times_in_words(span: timedelta, words: str) -> None:
    assert rules.in_words(span) == words


def test_browsers_in_words() -> None:
    chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
    assert rules.browser_of(chrome) == "Chrome on Linux"
    assert rules.browser_of(chrome + " Edg/140.0") == "Edge on Linux"
    assert rules.browser_of("curl/8.0") == rules.browser_of("") == "Unknown program"
