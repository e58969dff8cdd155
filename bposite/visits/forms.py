"""Forms of the reception. They keep what was typed and hang each message on its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    EmailField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TelField,
)
from wtforms.widgets import CheckboxInput, ListWidget

from bposite.plumbing.errors import Refusal
from bposite.visits.rules.inputs import text_problem, tidy
from bposite.visits.rules.machine import Evidence
from bposite.visits.words import EVIDENCE, IDENTITIES

LONGEST_REASON = 300


def put_errors(form: FlaskForm, problems: Mapping[str, str]) -> None:
    """Hang messages on the fields they are about; one about no field of this form goes above it."""
    for name, message in problems.items():
        field = form._fields.get(name)
        if field is None:
            form.form_errors.append(message)
        else:
            field.errors = [*field.errors, message]


def refuse(form: FlaskForm, refusal: Refusal) -> None:
    """Hang a refusal on its field, with what to do about it."""
    put_errors(form, {refusal.field or "": f"{refusal.message} {refusal.remedy}".strip()})


class Ticks(SelectMultipleField):
    """A list of tick boxes. A value that is no choice is the intake's to judge, in words."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()
    validate_choice = False

    def pre_validate(self, form: Any) -> None:
        """Nothing: `intake` says which zone does not exist."""


class Needed:
    """Marks a field that cannot stay empty. `intake` words the message, so this judges nothing."""

    field_flags = {"required": True}  # noqa: RUF012 - read by WTForms from the class

    def __call__(self, form: Any, field: Any) -> None:
        """Nothing: see above."""


NEEDED = Needed()


class VisitFields(FlaskForm):  # type: ignore[misc]
    """What an invitation and a walk-in share. Fields are read raw by `intake`, which words every problem."""

    name = StringField("Name", [NEEDED], render_kw={"autocomplete": "off"})
    company = StringField("Company", render_kw={"autocomplete": "off"})
    host = StringField("Host", [NEEDED], render_kw={"list": "hosts", "autocomplete": "off"})
    purpose = StringField("Purpose", render_kw={"autocomplete": "off"})
    zones = Ticks("Zones")
    until = StringField("Until", [NEEDED], render_kw={"type": "time"})

    def typed(self) -> dict[str, str]:
        """Values as typed, zones apart."""
        return {name: value for name, value in self.data.items() if isinstance(value, str)}

    def offer(self, zones: Sequence[tuple[str, str]]) -> None:
        """The zones to choose from, as (id, name)."""
        self.zones.choices = list(zones)


class InviteForm(VisitFields):
    """An invitation."""

    email = EmailField("E-mail", render_kw={"autocomplete": "off"})
    phone = TelField("Phone", render_kw={"autocomplete": "off"})
    day = StringField("Day", [NEEDED], render_kw={"type": "date"})
    start = StringField("From", [NEEDED], render_kw={"type": "time"})


class WalkInForm(VisitFields):
    """A guest who stands at the desk."""


class ImportForm(FlaskForm):  # type: ignore[misc]
    """A list of invitations."""

    file = FileField("CSV file", [NEEDED], render_kw={"accept": ".csv,text/csv"})


class AdmitForm(FlaskForm):  # type: ignore[misc]
    """All that the desk adds before a guest goes in; only the parts that a visit needs are shown."""

    identity = RadioField("Identity looked at", choices=list(IDENTITIES.items()), validate_choice=False)
    host_told = SelectField(
        "Host",
        choices=[
            ("told by phone", "Told by phone"),
            ("came to the desk", "Came to the desk"),
            ("told by message", "Told by message"),
            ("expects the visitor at this time", "Expects the visitor at this time"),
        ],
        validate_choice=False,
    )
    escort = StringField("Escort", render_kw={"list": "hosts", "autocomplete": "off"})
    token = StringField("Deposit tag", render_kw={"autocomplete": "off"})


class ReasonForm(FlaskForm):  # type: ignore[misc]
    """A reason for something that needs one."""

    reason = StringField("Reason", [NEEDED], render_kw={"maxlength": LONGEST_REASON, "autocomplete": "off"})

    def why(self) -> str:
        """The reason in normal form; a Refusal when it is no line of plain text."""
        return plain(self.reason.data, "reason")


class DepartForm(FlaskForm):  # type: ignore[misc]
    """How a guest left."""

    evidence = SelectField(
        "How do you know?",
        choices=[
            (kind, EVIDENCE[kind])
            for kind in (Evidence.CARD_SURRENDERED, Evidence.HOST_STATEMENT, Evidence.CAMERA_STILL)
        ],
        validate_choice=False,
    )
    note = StringField("Who says or saw so", render_kw={"maxlength": LONGEST_REASON, "autocomplete": "off"})
    returned = SelectField("Label or card", choices=[("yes", "Handed back"), ("no", "Not handed back")])


class WatchForm(FlaskForm):  # type: ignore[misc]
    """Somebody for the watchlist."""

    name = StringField("Name", render_kw={"autocomplete": "off"})
    company = StringField("Company", render_kw={"autocomplete": "off"})
    contact = StringField("Contact", render_kw={"autocomplete": "off"})
    reason = StringField("Why", [NEEDED], render_kw={"autocomplete": "off"})
    until = StringField("Last day", [NEEDED], render_kw={"type": "date"})


class ScanForm(FlaskForm):  # type: ignore[misc]
    """A code from a scanner or from fingers."""

    text = StringField("Code", render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"})
    key = HiddenField()
    purpose = HiddenField()


def plain(text: str | None, field: str) -> str:
    """A line of plain text for `field` in normal form; Refusal when it is too long or holds markup."""
    tidied = tidy(text or "")
    if problem := text_problem(tidied, longest=LONGEST_REASON):
        raise Refusal("text", problem, field=field)
    return tidied
