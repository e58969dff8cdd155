"""Signing in and out through the real forms: two steps, single-use codes, waits, dead sessions, odd input."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from bposite.journal.queries import facts
from bposite.journal.work import Actor, unit_of_work
from bposite.people import actions, cookies, rules
from bposite.people.tables import SignInFailure, UserSession
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from tests.people.signing import PASSWORD, make_account, nobody, session_of, sign_in, token_of

START = datetime(2026, 11, 23, 9, 0, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> time_machine.Traveller:
    """Time stands still unless a test moves it, so that codes are what the test says."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def kinds() -> list[str]:
    """The kinds of all facts of this feature so far."""
    with reading() as session:
        return [fact.kind for fact in facts(session, ["people:"])]


def test_both_steps_lead_to_the_landing_page_of_the_role(site: Flask) -> None:
    for role, page in {
        "reception": "/reception/",
        "guard": "/",
        "facilities": "/entries/",
        "auditor": "/evidence/",
    }.items():
        answer = sign_in(nobody(site), make_account(role))
        assert (answer.status_code, answer.headers["Location"]) == (302, page)
    assert kinds().count("people:session:started") == 4


def test_the_page_wanted_before_signing_in_comes_after_it(site: Flask) -> None:
    client, account = nobody(site), make_account("auditor")
    asked = client.get("/people/?q=zoe")
    assert asked.headers["Location"] == "/sign-in?next=/people/?q%3Dzoe"
    first = client.send(asked.headers["Location"], name=account.name, password=account.password)
    assert client.send(first.headers["Location"], code=account.code()).headers["Location"] == "/people/?q=zoe"


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nSet-Cookie:x=y"]
)
def test_the_page_wanted_is_never_on_another_site(site: Flask, target: str) -> None:
    client, account = nobody(site), make_account("guard")
    first = client.post(
        "/sign-in",
        query_string={"next": target},
        data={"csrf_token": token_of(client.get("/sign-in")), "name": account.name, "password": account.password},
    )
    assert first.headers["Location"] == "/sign-in/code"


def test_unknown_names_disabled_accounts_and_wrong_passwords_look_the_same(site: Flask) -> None:
    account, off, invited = make_account("guard"), make_account("guard"), "new.person"
    with unit_of_work(Actor.system("tests")) as work:
        actions.set_active(work, off.id, False)
        actions.create_user(work, invited, "New person", ["guard"])
    answers = []
    for name, password in [
        (account.name, "x" * 14),
        ("nobody.here", PASSWORD),
        (off.name, PASSWORD),
        (invited, PASSWORD),
    ]:
        answer = nobody(site).send("/sign-in", name=name, password=password)
        answers.append(
            (
                answer.status_code,
                answer.get_data(as_text=True).replace(name, "NAME").split("<form")[1].split("csrf")[2:],
            )
        )
        assert "User name or password is not right" in answer.get_data(as_text=True)
    assert {status for status, _ in answers} == {422}


def test_a_code_works_once_and_so_do_all_before_it(site: Flask, clock: time_machine.Traveller) -> None:
    account = make_account("guard")
    earlier = account.code(-1)
    code = account.code()
    assert sign_in(nobody(site), account, code).status_code == 302
    for again in (code, earlier):
        refused = sign_in(nobody(site), account, again)
        assert refused.status_code == 422
        assert "was used before" in refused.get_data(as_text=True)
    clock.shift(30)
    assert sign_in(nobody(site), account).status_code == 302


def test_a_code_of_the_next_step_is_taken_for_a_fast_clock_and_then_closes_this_one(site: Flask) -> None:
    account = make_account("guard")
    assert sign_in(nobody(site), account, account.code(+1)).status_code == 302
    assert sign_in(nobody(site), account, account.code()).status_code == 422
    assert sign_in(nobody(site), make_account("guard"), account.code()).status_code == 422


def test_a_recovery_code_works_once_and_any_way_it_is_typed(site: Flask) -> None:
    account = make_account("guard")
    session = nobody(site)
    session.set_cookie(cookies.SESSION, session_of(account))
    page = session.send("/account/recovery-codes", "/account/").get_data(as_text=True)
    first = page.split('<li class="mono">')[1][:11]
    assert sign_in(nobody(site), account, f" {first.lower().replace('-', ' ')} ").status_code == 302
    assert sign_in(nobody(site), account, first).status_code == 422
    assert "people:recovery:used" in kinds()


def test_signing_out_kills_every_copy_of_the_cookie(site: Flask) -> None:
    client = nobody(site)
    sign_in(client, make_account("guard"))
    copied = nobody(site)
    copied.set_cookie(cookies.SESSION, client.get_cookie(cookies.SESSION).value)  # type: ignore[union-attr]
    assert copied.get("/account/").status_code == 200
    client.send("/sign-out", "/account/")
    assert client.get_cookie(cookies.SESSION) is None
    assert copied.get("/account/").headers["Location"].startswith("/sign-in")


def test_the_session_value_is_new_at_every_sign_in_and_nothing_is_kept_of_before(site: Flask) -> None:
    client, account = nobody(site), make_account("guard")
    client.set_cookie(cookies.SESSION, "planted-by-somebody-else")
    sign_in(client, account)
    value = client.get_cookie(cookies.SESSION).value  # type: ignore[union-attr]
    assert value != "planted-by-somebody-else"
    with reading() as session:
        assert value not in [row.secret_hash for row in session.scalars(select(UserSession))]


def test_sessions_end_when_idle_and_when_too_old(site: Flask, clock: time_machine.Traveller) -> None:
    idle, busy = nobody(site), nobody(site)
    sign_in(idle, make_account("guard"))
    sign_in(busy, make_account("guard"))
    for _ in range(6):
        clock.shift(rules.IDLE - timedelta(seconds=30))
        assert busy.get("/account/").status_code == 200
        if now() - START >= rules.IDLE:
            assert idle.get("/account/").status_code == 302
    clock.move_to(START + rules.ABSOLUTE)
    assert busy.get("/account/").status_code == 302
    with reading() as session:
        assert sorted(session.scalars(select(UserSession.end_reason))) == ["idle", "too_old"]


def test_a_live_stream_keeps_nobody_signed_in(site: Flask, clock: time_machine.Traveller) -> None:
    client = nobody(site)
    sign_in(client, make_account("guard"))
    for _ in range(5):
        clock.shift(rules.IDLE / 4)
        answer = client.get("/account/", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 401


def test_waits_grow_by_name_whether_it_exists_or_not_and_end_by_themselves(
    site: Flask, clock: time_machine.Traveller
) -> None:
    account = make_account("guard")
    for name in (account.name, "nobody.at-all"):
        statuses = [nobody(site).send("/sign-in", name=name, password="x" * 12).status_code for _ in range(6)]
        assert statuses == [422, 422, 422, 422, 429, 429]
    locked = nobody(site).send("/sign-in", name=account.name, password=PASSWORD)
    assert locked.status_code == 429
    assert int(locked.headers["Retry-After"]) <= 16
    clock.shift(16)
    assert sign_in(nobody(site), account).status_code == 302
    with reading() as session:
        assert len(list(session.scalars(select(SignInFailure)))) == 2  # the other name, and the address


def test_a_stranger_who_keeps_a_name_locked_does_not_lock_out_a_browser_that_was_here(
    site: Flask, clock: time_machine.Traveller
) -> None:
    mine, account = nobody(site), make_account("guard")
    sign_in(mine, account)
    mine.send("/sign-out", "/account/")
    stranger = nobody(site)
    stranger.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    for _ in range(6):
        stranger.send("/sign-in", name=account.name, password="x" * 12)
    assert stranger.send("/sign-in", name=account.name, password=PASSWORD).status_code == 429
    assert sign_in(mine, account, account.code(+1)).status_code == 302
    forged = nobody(site)
    forged.set_cookie(cookies.DEVICE, "0" * 96)
    assert forged.send("/sign-in", name=account.name, password=PASSWORD).status_code == 429


def test_wrong_codes_count_like_wrong_passwords(site: Flask) -> None:
    account = make_account("guard")
    client = nobody(site)
    client.send("/sign-in", name=account.name, password=PASSWORD)
    wrong = "000000" if account.code() != "000000" else "111111"
    statuses = [client.send("/sign-in/code", code=wrong).status_code for _ in range(5)]
    assert statuses == [422, 422, 422, 422, 429]
    assert client.send("/sign-in/code", code=account.code()).status_code == 429


def test_the_step_between_password_and_code_lasts_five_minutes(site: Flask, clock: time_machine.Traveller) -> None:
    account, client = make_account("guard"), nobody(site)
    client.send("/sign-in", name=account.name, password=PASSWORD)
    step = client.get_cookie(cookies.STEP).value  # type: ignore[union-attr]
    clock.shift(rules.PENDING)
    late = nobody(site)
    late.set_cookie(cookies.STEP, step)
    answer = late.send("/sign-in/code", code=account.code())
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")


def test_a_step_alone_opens_nothing(site: Flask) -> None:
    account, client = make_account("guard"), nobody(site)
    client.send("/sign-in", name=account.name, password=PASSWORD)
    step = client.get_cookie(cookies.STEP).value  # type: ignore[union-attr]
    client.set_cookie(cookies.SESSION, step)
    assert client.get("/account/").status_code == 302


def test_disabling_ends_sessions_and_steps_at_once(site: Flask) -> None:
    account, inside, between = make_account("guard"), nobody(site), nobody(site)
    sign_in(inside, account)
    between.send("/sign-in", name=account.name, password=PASSWORD)
    with unit_of_work(Actor.system("tests")) as work:
        actions.set_active(work, account.id, False)
    assert inside.get("/account/").status_code == 302
    assert between.send("/sign-in/code", code=account.code(+1)).headers["Location"] == "/sign-in"


def test_roles_taken_away_hold_with_the_next_request(site: Flask) -> None:
    account, client = make_account("facilities"), nobody(site)
    sign_in(client, account)
    assert client.get("/people/new").status_code == 200
    with unit_of_work(Actor.system("tests")) as work:
        actions.set_roles(work, account.id, ["auditor"])
    assert client.get("/people/new").status_code == 403


ODD = [
    "é" * 20, "²²²²²²", "١٢٣٤٥٦", "x" * 10_000, "\x00", "a\x00b", "<script>alert(1)</script>",
    "'; DROP TABLE user_account;--",
    "\u202e\u200b", "🗝" * 12, "0" * 6, "-1", "1e5", " ", "ﬁ" * 12, "\ud7ff",
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=[ascii(text)[:24] for text in ODD])
def test_odd_input_gets_a_message_and_never_a_crash(site: Flask, odd: str) -> None:
    client, account = nobody(site), make_account("guard")
    assert client.send("/sign-in", name=odd, password=odd).status_code == 422
    assert client.send("/sign-in", name=account.name, password=odd).status_code == 422
    client.send("/sign-in", name=account.name, password=PASSWORD)
    answer = client.send("/sign-in/code", code=odd)
    assert answer.status_code == 422
    assert 'class="error"' in answer.get_data(as_text=True)
    client.set_cookie(cookies.STEP, odd[:300].encode("ascii", "ignore").decode().replace("\x00", "") or "x")
    assert client.get("/sign-in/code").status_code in (200, 302)
    assert client.get("/enrol/" + (odd[:50].replace("/", "").replace("\x00", "") or "x")).status_code in (404, 200)


@pytest.mark.parametrize("value", ["é", "x" * 3000, "bpo_", "Bearer", "\xff\xfe", "a b c", ""])
def test_odd_credentials_are_just_nobody(site: Flask, value: str) -> None:
    client = nobody(site)
    for header in (f"Bearer {value}", value, f"Basic {value}"):
        answer = client.get("/api/v1/nothing", headers={"Authorization": header.encode("utf-8").decode("latin-1")})
        assert answer.status_code in (401, 404)
    client.set_cookie(cookies.SESSION, value.encode("ascii", "ignore").decode() or "-")
    assert client.get("/account/").status_code == 302


def test_a_form_without_its_token_changes_nothing(site: Flask) -> None:
    client, account = nobody(site), make_account("guard")
    assert client.post("/sign-in", data={"name": account.name, "password": PASSWORD}).status_code == 400
    sign_in(client, account)
    assert client.post("/sign-out").status_code == 400
    assert client.get("/account/").status_code == 200


def test_refused_sign_ins_are_facts_without_what_was_typed(site: Flask) -> None:
    account = make_account("guard")
    nobody(site).send("/sign-in", name="My Secret Passw0rd", password="x" * 12)
    nobody(site).send("/sign-in", name=account.name, password="y" * 12)
    with reading() as session:
        found = list(facts(session, ["people:signin:"]))
    assert [(fact.kind, fact.subject, fact.data["what"]) for fact in found] == [
        ("people:signin:refused", "", "password"),
        ("people:signin:refused", account.id, "password"),
    ]
    assert "secret" not in str(found).lower()
