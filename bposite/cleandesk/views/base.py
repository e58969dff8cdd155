"""The blueprint of all clean desk screens, and what their templates share."""

from __future__ import annotations

from flask import Blueprint
from flask.sansio.blueprints import BlueprintSetupState
from sqlalchemy.orm import Session

from bposite.cleandesk import queries, words
from bposite.cleandesk.queries import RoundRow
from bposite.doors.queries.names import zone_names
from bposite.people.access import current_identity, may
from bposite.plumbing.errors import NotFound

blueprint = Blueprint("cleandesk", __name__, url_prefix="/clean-desk")
blueprint.add_app_template_filter(words.shift_word, "shift_word")
blueprint.add_app_template_filter(words.moment_word, "moment_word")
blueprint.add_app_template_filter(words.kind_word, "kind_word")


def percent(share: float | None, places: int = 1) -> str:
    """A share as people read it: 0.904 is "90.4 %"; 1.0 is "100 %"."""
    if share is None:
        return "–"
    return "100 %" if share == 1 else f"{100 * share:.{places}f} %"


blueprint.add_app_template_filter(percent, "percent")


@blueprint.record_once
def _share(state: BlueprintSetupState) -> None:
    """Words that every clean desk template and its macros may use."""
    state.app.jinja_env.globals["desk_words"] = words


def zone_words(session: Session) -> dict[str, str]:
    """zone -> name, for every list."""
    return {zone.id: zone.name for zone in zone_names(session).values()}


def me() -> str:
    """The id of whoever is signed in; empty for nobody."""
    identity = current_identity()
    return identity.id if identity else ""


def sees_people() -> bool:
    """Whether whoever is signed in may see the person that a finding names: those who verify, no others."""
    return may("cleandesk:verify")


def needed_round(session: Session, round_id: str) -> RoundRow:
    """The round, or a page that says there is none."""
    found = queries.round_of(session, round_id)
    if found is None:
        raise NotFound("round", "There is no such round.", remedy="Look for it among the rounds.")
    return found
