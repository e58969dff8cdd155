"""What people do with accounts, sign-ins, tokens and the directory. One public function = one step of a unit of work.

Hashing a password takes tens of milliseconds: edges do it before they open the unit, and pass the hash.
"""

from bposite.people.actions.accounts import (
    change_user,
    create_enrolled_user,
    create_user,
    invite_again,
    make_admin_link,
    reset_user,
    set_active,
    set_roles,
)
from bposite.people.actions.directory import apply_plan, save_person
from bposite.people.actions.enrolment import Enrolled, choose_password, confirm_factor
from bposite.people.actions.links import Link
from bposite.people.actions.own import (
    change_factor,
    change_password,
    confirm_session,
    new_recovery_codes,
    offer_factor,
)
from bposite.people.actions.sessions import end_session, end_sessions, note_seen, note_token_use
from bposite.people.actions.signin import Answer, code_given, password_given
from bposite.people.actions.tokens import NewToken, create_token, revoke_token

__all__ = [
    "Answer",
    "Enrolled",
    "Link",
    "NewToken",
    "apply_plan",
    "change_factor",
    "change_password",
    "change_user",
    "choose_password",
    "code_given",
    "confirm_factor",
    "confirm_session",
    "create_enrolled_user",
    "create_token",
    "create_user",
    "end_session",
    "end_sessions",
    "invite_again",
    "make_admin_link",
    "new_recovery_codes",
    "note_seen",
    "note_token_use",
    "offer_factor",
    "password_given",
    "reset_user",
    "revoke_token",
    "save_person",
    "set_active",
    "set_roles",
]
