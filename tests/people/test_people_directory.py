"""The directory: plan, search, pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml
from flask import Flask

from bposite.journal.queries import facts
from bposite.journal.work import Actor, unit_of_work
from bposite.people import actions, queries
from bposite.plumbing.db import reading
from bposite.plumbing.errors import Refusal
from bposite.plumbing.resources import root
from tests.people.signing import Browser

PLAN = [
    {"number": "E-1", "name": "Nguyễn Thị Lan", "client": "Northwind Retail", "team": "Orders", "role": "Team lead"},
    {"number": "E-2", "name": "Zoltán Kovács", "email": "z@example.com", "host": False},
    {"number": "E-3", "name": "فاطمة الزهراء", "active": False},
]


def apply(section: list[dict[str, object]]) -> None:
    """Apply a section of a plan."""
    with unit_of_work(Actor.system("tests")) as work:
        actions.apply_plan(work, section)


def names(text: str, **more: bool) -> list[str]:
    """Who is found."""
    with reading() as session:
        return [row.name for row in queries.search_persons(session, text, **more)]


def test_a_plan_applied_twice_changes_nothing_the_second_time(any_site: Flask) -> None:
    apply(PLAN)
    apply(PLAN)
    apply([PLAN[1] | {"team": "Cards"}])
    with reading() as session:
        assert [fact.data["numbers"] for fact in facts(session, ["people:person:"])] == [["E-1", "E-2", "E-3"], ["E-2"]]
        assert queries.persons_by_number(session, ["E-2", "E-9"])["E-2"].team == "Cards"
        assert queries.count_persons(session, active=False) == 3


def test_the_plan_of_the_simulated_site_is_taken(site: Flask) -> None:
    plan = yaml.safe_load((root("hardware") / "simulator" / "site.yaml").read_text("utf-8"))
    apply(plan["persons"])
    with reading() as session:
        assert queries.count_persons(session) >= 30


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"number": "E-1"}, "row 1.*name"),
        ({"number": "E 1", "name": "X"}, "row 1"),
        ({"number": "E-1\n", "name": "X"}, "row 1"),
        ({"number": "E-1", "name": "X", "salary": 1}, "salary"),
        ({"number": "E-1", "name": "X" * 121}, "row 1"),
        ({"number": 1, "name": "X"}, "row 1"),
        ("E-1", "row 1"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_changed(site: Flask, row: dict[str, object], says: str) -> None:
    with pytest.raises(Refusal, match=says):
        apply([row, PLAN[0]])
    assert names("") == []


def test_a_number_twice_is_refused(site: Flask) -> None:
    with pytest.raises(Refusal, match="E-1 is there twice"):
        apply([PLAN[0], PLAN[0]])


def test_a_search_forgives_case_accents_and_order(any_site: Flask) -> None:
    apply(PLAN)
    assert names("lan NGUYEN") == names("e-1") == names("northwind lead") == ["Nguyễn Thị Lan"]
    assert names("kovacs") == names("Z@EXAMPLE") == ["Zoltán Kovács"]
    assert names("kovacs", hosts=True) == []
    assert names("فاطمة") == []
    assert names("فاطمة", active=False) == ["فاطمة الزهراء"]
    assert names("%") == names("_") == names("\\") == []
    assert names("x" * 10_000) == []


def test_pages_go_through_everybody_once(site: Flask, client_as: Callable[..., Browser]) -> None:
    apply([{"number": f"E-{at}", "name": f"Person {at % 7}"} for at in range(120)])
    client, path, seen = client_as("reception"), "/people/", []
    while path:
        page = client.get(path).get_data(as_text=True)
        seen += [part.split('"')[0] for part in page.split('class="line who" href="/people/')[1:]]
        older = page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0] if 'rel="next"' in page else ""
        path = older.replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 120


def test_a_person_is_added_and_changed_by_hand(site: Flask, client_as: Callable[..., Browser]) -> None:
    client = client_as("facilities")
    made = client.send("/people/new", number="E-77", name="  Grace <b>Wanjiru</b> ", can_host="y", active="y")
    assert made.status_code == 302
    page = client.get(made.headers["Location"]).get_data(as_text=True)
    assert "Grace &lt;b&gt;Wanjiru&lt;/b&gt;" in page
    edit = made.headers["Location"] + "/edit"
    assert client.send(edit, number="E-77", name="Grace Wanjiru", email="no", active="y").status_code == 422
    assert client.send(edit, number="E-77", name="Grace Wanjiru", email="g@example.com", active="y").status_code == 302
    assert names("grace g@example") == ["Grace Wanjiru"]
    taken = client.send("/people/new", number="E-77", name="Another")
    assert taken.status_code == 422
    assert "Somebody else has this number" in taken.get_data(as_text=True)
    assert client.send("/people/new", number="é/²", name="Another").status_code == 422
    assert client.send("/people/new", number="E-78", name="\x00 \u0007").status_code == 422
    assert client_as("guard").get("/people/new").status_code == 403


def test_what_is_not_there_is_not_found(site: Flask, client_as: Callable[..., Browser]) -> None:
    client = client_as("guard")
    assert client.get("/people/nobody").status_code == 404
    assert client.get("/people/?q=%00%ff&after=%00&hosts=9").status_code == 200
