"""Accounts, links, tokens: made and ended through the screens, on both databases where locks matter."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from bposite.journal.queries import facts
from bposite.journal.work import Actor, unit_of_work
from bposite.people import actions, cookies, queries, rules, totp
from bposite.people.rules import Origin
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import Conflict, NotFound, Refusal
from bposite.plumbing.web import limiter
from tests.people.signing import ORIGIN, PASSWORD, Account, Browser, make_account, nobody, session_of, sign_in

START = datetime(2026, 11, 23, 9, 0, 5, tzinfo=UTC)
NEW = "four unrelated words 7"


@pytest.fixture(autouse=True)
def clock() -> time_machine.Traveller:
    """Time stands still unless a test moves it."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def someone() -> Actor:
    """Who acts in tests."""
    return Actor.system("tests")


def browser_of(app: Flask, account: Account) -> Browser:
    """A browser signed in as ``account``."""
    client = nobody(app)
    client.set_cookie(cookies.SESSION, session_of(account))
    return client


def key_in(page: str) -> str:
    """The authenticator's secret that a page shows for typing."""
    found = re.search(r'mono key">([^<]+)<', page)
    assert found
    return found.group(1).replace(" ", "")


def enrol(app: Flask, path: str, **first: str) -> Browser:
    """Go through a one-time link as a person does; the browser is signed in at the end."""
    client = nobody(app)
    step = client.send(path, password=NEW, **first)
    assert step.status_code == 302, step.get_data(as_text=True)
    secret = key_in(client.get(f"{path}/authenticator").get_data(as_text=True))
    done = client.send(f"{path}/authenticator", code=totp.code_at(secret, rules.step_of(now())))
    assert "Keep these codes" in done.get_data(as_text=True)
    return client


def admin_path() -> str:
    """The first administrator's link."""
    with unit_of_work(someone()) as work:
        return actions.make_admin_link(work).path


def test_the_first_administrator_comes_by_a_link_that_works_once(site: Flask) -> None:
    path = admin_path()
    client = enrol(site, path, name="Ananya", display="Ananya Deshpande")
    assert client.get("/users/").status_code == 200
    assert nobody(site).get(path).status_code == 404
    with pytest.raises(Conflict, match="already has"):
        admin_path()


def test_a_newer_first_link_closes_the_older_one_and_both_end_after_a_day(
    site: Flask, clock: time_machine.Traveller
) -> None:
    old, new = admin_path(), admin_path()
    assert nobody(site).get(old).status_code == 404
    assert nobody(site).get(new).status_code == 200
    clock.shift(rules.FIRST_LINK_AGE)
    assert nobody(site).get(new).status_code == 404
    assert nobody(site).send("/sign-in", name="admin", password="admin").status_code == 422


def test_an_invited_person_sets_password_and_authenticator(site: Flask) -> None:
    admin = browser_of(site, make_account("administrator"))
    page = admin.send("/users/new", display="Rohan Kulkarni", name="r.kulkarni", roles=["guard", "reception"])
    path = re.search(r"(/enrol/[\w-]+)", page.get_data(as_text=True)).group(1)  # type: ignore[union-attr]
    assert nobody(site).send("/sign-in", name="r.kulkarni", password=NEW).status_code == 422
    client = enrol(site, path)
    assert client.get("/account/").status_code == 200
    assert client.get("/users/").status_code == 403
    assert nobody(site).get(f"{path}/qr.svg").status_code == 404


def test_a_wrong_code_at_the_link_changes_nothing_and_the_link_goes_on(site: Flask) -> None:
    path, client = admin_path(), nobody(site)
    assert client.get(f"{path}/authenticator").headers["Location"] == path
    client.send(path, password=NEW, name="first", display="First")
    answer = client.send(f"{path}/authenticator", code="12345")
    assert answer.status_code == 422
    assert "not the code" in answer.get_data(as_text=True)
    with reading() as session:
        assert queries.users(session) == []
    assert client.get(f"{path}/qr.svg").headers["Content-Type"] == "image/svg+xml"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "", "display": "", "roles": []}, "Choose a user name"),
        ({"name": "a b", "display": "A", "roles": ["guard"]}, "letters a to z"),
        ({"name": "x" * 10_000, "display": "A", "roles": ["guard"]}, "at most 64"),
        ({"name": "ok", "display": "x" * 10_000, "roles": ["guard"]}, "at most 120"),
        ({"name": "ok", "display": "A", "roles": ["god"]}, "not a valid choice"),
        ({"name": "ok", "display": "A", "roles": ["guard"], "number": "E-404"}, "Nobody in the directory"),
        ({"name": "taken", "display": "A", "roles": ["guard"]}, "Somebody else"),
    ],
)
def test_a_wrong_new_account_is_told_beside_the_field(site: Flask, fields: dict[str, object], says: str) -> None:
    admin = browser_of(site, make_account("administrator"))
    make_account("guard", name="taken")
    answer = admin.send("/users/new", **fields)
    assert answer.status_code == 422
    assert says in answer.get_data(as_text=True)
    with reading() as session:
        assert len(queries.users(session)) == 2


def test_whose_account_it_is_can_be_changed_and_the_user_name_cannot(site: Flask) -> None:
    account, admin = make_account("guard"), browser_of(site, make_account("administrator"))
    with unit_of_work(someone()) as work:
        actions.apply_plan(work, [{"number": "E-1012", "name": "Vikram Rathore"}])
    path = f"/users/{account.id}/edit"
    assert admin.send(path, display="Vikram Rathore", number="E-1012", name="root").status_code == 302
    assert admin.send(path, display="", number="E-9999").status_code == 422
    assert admin.send(path, display="V", number="E-9999").status_code == 422
    with reading() as session:
        row = queries.user(session, account.id)
    assert row is not None
    assert (row.name, row.display, row.person) == (account.name, "Vikram Rathore", "Vikram Rathore")


def test_the_last_administrator_cannot_be_lost(site: Flask) -> None:
    account = make_account("administrator")
    admin = browser_of(site, account)
    refused = admin.send(f"/users/{account.id}/roles", f"/users/{account.id}", roles=["guard"])
    assert "last administrator" in refused.get_data(as_text=True)
    admin.send(f"/users/{account.id}/disable", f"/users/{account.id}")
    assert "last administrator" in admin.get(f"/users/{account.id}").get_data(as_text=True)
    other = make_account("administrator")
    assert admin.send(f"/users/{other.id}/disable", f"/users/{other.id}").status_code == 302
    with reading() as session:
        assert queries.enrolled_administrators(session) == {account.id}


def test_two_administrators_who_switch_each_other_off_leave_one(any_site: Flask) -> None:
    first, second = make_account("administrator"), make_account("administrator")
    outcomes: list[str] = []
    gate = threading.Barrier(2)

    def switch_off(target: str) -> None:
        gate.wait(5)
        try:
            with unit_of_work(someone()) as work:
                actions.set_active(work, target, False)
            outcomes.append("off")
        except Conflict:
            outcomes.append("refused")

    threads = [threading.Thread(target=switch_off, args=(account.id,)) for account in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["off", "refused"]
    with reading() as session:
        assert len(queries.enrolled_administrators(session)) == 1


def test_one_code_given_twice_at_the_same_moment_wins_once(any_site: Flask) -> None:
    account, code = make_account("guard"), ""
    code = account.code()
    steps = []
    for _ in range(4):
        with reading() as session:
            stored = queries.password_hash(session, name=account.name)
        with unit_of_work(someone()) as work:
            steps.append(actions.password_given(work, account.name, ORIGIN, PASSWORD, stored).secret or "")
    gate, won = threading.Barrier(4), []

    def give(step: str) -> None:
        gate.wait(5)
        with unit_of_work(someone()) as work:
            won.append(actions.code_given(work, step, code, Origin("10.0.0.1")).secret)

    threads = [threading.Thread(target=give, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(won) == 4
    assert len([secret for secret in won if secret]) == 1


def test_a_reset_takes_everything_away_until_the_link_is_used(site: Flask) -> None:
    account = make_account("guard")
    mine, admin = browser_of(site, account), browser_of(site, make_account("administrator"))
    page = admin.send(f"/users/{account.id}/reset", f"/users/{account.id}").get_data(as_text=True)
    assert mine.get("/account/").status_code == 302
    assert nobody(site).send("/sign-in", name=account.name, password=PASSWORD).status_code == 422
    enrol(site, re.search(r"(/enrol/[\w-]+)", page).group(1))  # type: ignore[union-attr]
    assert nobody(site).send("/sign-in", name=account.name, password=NEW).status_code == 302


def test_sensitive_actions_ask_for_a_new_code_after_ten_minutes(site: Flask, clock: time_machine.Traveller) -> None:
    account = make_account("administrator")
    admin = browser_of(site, account)
    assert admin.get("/users/new").status_code == 200
    clock.shift(rules.FRESH)
    asked = admin.get("/users/new")
    assert asked.headers["Location"] == "/account/confirm?next=/users/new"
    assert admin.send("/users/new", "/account/", name="x", display="X", roles=["guard"]).status_code == 302
    assert admin.send(asked.headers["Location"], code="000000").status_code == 422
    assert admin.send(asked.headers["Location"], code=account.code()).headers["Location"] == "/users/new"
    assert admin.get("/users/new").status_code == 200
    with reading() as session:
        assert len(queries.users(session)) == 1


def test_changing_the_password_needs_the_old_one_and_ends_other_sessions(site: Flask) -> None:
    account = make_account("guard")
    here, there = browser_of(site, account), browser_of(site, account)
    assert here.send("/account/password", old="wrong wrong wrong", password=NEW).status_code == 422
    assert here.send("/account/password", old=PASSWORD, password="password1234").status_code == 422
    assert here.send("/account/password", old=PASSWORD, password=NEW).status_code == 302
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302
    assert nobody(site).send("/sign-in", name=account.name, password=PASSWORD).status_code == 422
    assert nobody(site).send("/sign-in", name=account.name, password=NEW).status_code == 302


def test_a_new_authenticator_needs_password_and_old_factor(site: Flask, clock: time_machine.Traveller) -> None:
    account = make_account("guard")
    here, there = browser_of(site, account), browser_of(site, account)
    assert here.get("/account/authenticator/new").headers["Location"] == "/account/authenticator"
    assert here.get("/account/authenticator/qr.svg").status_code == 404
    assert here.send("/account/authenticator", password=PASSWORD, code="12").status_code == 422
    assert here.send("/account/authenticator", password="wrong", code=account.code()).status_code == 422
    assert here.send("/account/authenticator", password=PASSWORD, code=account.code()).status_code == 302
    secret = key_in(here.get("/account/authenticator/new").get_data(as_text=True))
    assert there.get("/account/authenticator/new").status_code == 302  # the offer belongs to one session
    assert here.send("/account/authenticator/new", code=account.code(+1)).status_code == 422
    done = here.send("/account/authenticator/new", code=totp.code_at(secret, rules.step_of(now())))
    assert "Keep these codes" in done.get_data(as_text=True)
    assert there.get("/account/").status_code == 302
    clock.shift(60)
    assert sign_in(nobody(site), account).status_code == 422
    assert sign_in(nobody(site), account, totp.code_at(secret, rules.step_of(now()))).status_code == 302


def test_an_offer_of_a_new_authenticator_ends_after_ten_minutes(site: Flask, clock: time_machine.Traveller) -> None:
    account = make_account("guard")
    here = browser_of(site, account)
    here.send("/account/authenticator", password=PASSWORD, code=account.code())
    clock.shift(rules.FRESH)
    assert here.get("/account/authenticator/new").headers["Location"].startswith("/account/confirm")
    with reading() as session:
        session_id = queries.sessions_of(session, account.id)[0].id
    with pytest.raises(Conflict), unit_of_work(someone()) as work:
        actions.change_factor(work, session_id, "123456")


def test_people_end_their_own_sessions_and_nobody_elses(site: Flask) -> None:
    account, other = make_account("guard"), make_account("guard")
    here, there, theirs = browser_of(site, account), browser_of(site, account), browser_of(site, other)
    with reading() as session:
        mine = {row.id for row in queries.sessions_of(session, account.id)}
        foreign = queries.sessions_of(session, other.id)[0].id
    page = here.get("/account/").get_data(as_text=True)
    target = next(session_id for session_id in mine if f"/account/sessions/{session_id}/end" in page)
    assert here.send(f"/account/sessions/{foreign}/end", "/account/").status_code == 404
    assert theirs.get("/account/").status_code == 200
    assert here.send(f"/account/sessions/{target}/end", "/account/").status_code == 302
    assert there.get("/account/").status_code == 302


def test_a_token_reads_what_it_may_and_nothing_by_cookie_writes(site: Flask) -> None:
    admin = browser_of(site, make_account("administrator"))
    page = admin.send("/tokens/new", name="dashboard", days="30", permissions=["entries:read"]).get_data(as_text=True)
    secret = re.search(r"bpo_[\w-]+", page).group(0)  # type: ignore[union-attr]
    with reading() as session:
        identity = queries.identity_of_token(session, secret, now())
        assert identity is not None
        assert identity.permissions == {"entries:read"}
    bearer = {"Authorization": f"Bearer {secret}"}
    assert nobody(site).get("/people/", headers=bearer).status_code == 302  # not a way into the screens
    assert nobody(site).get("/users/", headers=bearer).status_code == 302
    listed = admin.get("/tokens/").get_data(as_text=True)
    assert secret not in listed
    token_id = re.search(r"/tokens/(\w+)/revoke", listed).group(1)  # type: ignore[union-attr]
    admin.send(f"/tokens/{token_id}/revoke", "/tokens/")
    with reading() as session:
        assert queries.identity_of_token(session, secret, now()) is None


@pytest.mark.parametrize(
    ("name", "permissions", "days", "field"),
    [
        (" ", ["entries:read"], 1, "name"),
        ("x", [], 1, "permissions"),
        ("x", ["users:manage"], 1, "permissions"),
        ("x", ["nothing:real"], 1, "permissions"),
        ("x", ["doors:command"], 1, "permissions"),
        ("x", ["entries:read"], 0, "days"),
        ("x", ["entries:read"], 10**9, "days"),
    ],
)
def test_a_wrong_token_is_refused(site: Flask, name: str, permissions: list[str], days: int, field: str) -> None:
    held = frozenset({rules.permission("entries:read"), rules.permission("users:manage")})
    with pytest.raises(Refusal) as refused, unit_of_work(someone()) as work:
        actions.create_token(work, name, permissions, days=days, maker=held)
    assert refused.value.field == field


def test_tokens_end_by_themselves_and_with_their_maker(site: Flask, clock: time_machine.Traveller) -> None:
    maker = make_account("facilities")
    with unit_of_work(Actor("user", maker.id, "Maker")) as work:
        mine = actions.create_token(work, "mine", ["entries:read"], days=400 - 35)
    with unit_of_work(someone()) as work:
        short = actions.create_token(work, "short", ["entries:read"], days=1)
    with reading() as session:
        assert queries.identity_of_token(session, short.secret, now() + timedelta(hours=23)) is not None
        assert queries.identity_of_token(session, short.secret, now() + timedelta(days=1)) is None
    with unit_of_work(someone()) as work:
        actions.set_active(work, maker.id, False)
    with reading() as session:
        assert queries.identity_of_token(session, mine.secret, now()) is None


def test_the_rate_limit_answers_before_anything_is_looked_at(site: Flask) -> None:
    limiter.enabled = True
    try:
        client = nobody(site)
        client.environ_base["REMOTE_ADDR"] = "203.0.113.77"
        answers = [client.post("/sign-in/code", data={}).status_code for _ in range(3)]
        token = client.get("/sign-in").get_data(as_text=True).split('csrf_token" value="')[1].split('"')[0]
        posts = [client.post("/sign-in", data={"csrf_token": token, "name": "", "password": ""}) for _ in range(31)]
    finally:
        limiter.enabled = False
        limiter.reset()
    assert answers == [400] * 3
    assert [post.status_code for post in posts] == [422] * 30 + [429]
    assert posts[-1].headers["Retry-After"]


def test_every_change_of_an_account_is_a_fact_and_no_fact_holds_a_secret(site: Flask) -> None:
    path = admin_path()
    client = enrol(site, path, name="first", display="First One")
    client.send("/users/new", display="Second", name="second", roles=["guard"])
    client.send("/account/recovery-codes", "/account/")
    client.send("/sign-out", "/account/")
    with reading() as session:
        found = list(facts(session, ["people:"]))
    assert [fact.kind for fact in found] == [
        "people:link:made", "people:user:created", "people:user:enrolled", "people:session:started",
        "people:user:created", "people:link:made", "people:recovery:made", "people:session:ended",
    ]  # fmt: skip
    text = str(found)
    assert path.removeprefix("/enrol/") not in text
    assert NEW not in text
    assert "argon2" not in text


def test_unknown_accounts_are_not_found(site: Flask) -> None:
    admin = browser_of(site, make_account("administrator"))
    assert admin.get("/users/01ARZ3NDEKTSV4RRFFQ69G5FAV").status_code == 404
    for action in (actions.reset_user, actions.invite_again):
        with pytest.raises(NotFound), unit_of_work(someone()) as work:
            action(work, "nobody")
