"""Forms of doors, devices and alarms. Each action of a person carries a reason; an error is told beside its field."""

from __future__ import annotations

import unicodedata

from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, IntegerField, SelectField, StringField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from bposite.doors.actions.alarms import MAX_REASON, MIN_REASON
from bposite.plumbing.errors import Refusal

SHORT = f"Say in {MIN_REASON} to {MAX_REASON} characters why."


def one_line(text: str | None) -> str | None:
    """Text without control characters and outer blanks."""
    if text is None:
        return None
    return "".join(letter for letter in text if unicodedata.category(letter) not in ("Cc", "Cs")).strip()


def refuse(form: FlaskForm, refusal: Refusal) -> None:
    """Put a refusal beside the field it is about, or above the form when it is about none."""
    field = form._fields.get(refusal.field or "")
    words = f"{refusal.message} {refusal.remedy}".strip()
    if field is None:
        form.form_errors.append(words)
    else:
        field.errors = [*field.errors, words]


class ReasonForm(FlaskForm):  # type: ignore[misc]
    """Anything that a person does to a door, an alarm, a gap or a message."""

    reason = StringField("Reason", [DataRequired(SHORT), Length(MIN_REASON, MAX_REASON, SHORT)], [one_line])


class LockdownForm(ReasonForm):
    """Lock a zone or the site against holders below a rank."""

    scope = SelectField("Where", [DataRequired("Choose a zone or the whole site.")])
    rank = IntegerField(
        "Rank", [DataRequired("Give the rank, 1 to 9."), NumberRange(1, 9, "The rank is 1 to 9.")], default=1,
        description="Holders of this rank or a higher one still pass. Exits stay free.",
    )  # fmt: skip
    minutes = IntegerField(
        "Ends after (minutes)", [Optional(), NumberRange(1, 1440, "The time is 1 minute to 24 hours.")],
        description="Empty: until it is released.",
    )  # fmt: skip


class ClaimDoorForm(FlaskForm):  # type: ignore[misc]
    """Which door of the plan a device means."""

    door = SelectField("Door", [DataRequired("Choose a door.")])
    direction = SelectField("Side", choices=[("", "Both sides"), ("in", "In"), ("out", "Out")])


class ClaimDeviceForm(FlaskForm):  # type: ignore[misc]
    """Take a device into the plan."""

    name = StringField("Name", [DataRequired("Give it a name."), Length(max=120)], [one_line])


class WhatIfForm(FlaskForm):  # type: ignore[misc]
    """Try a decision without recording it."""

    class Meta:
        """A question changes nothing, so it is a GET that can be kept as a link."""

        csrf = False

    person = StringField(
        "Person", [DataRequired("Type a name, or a number such as E-1001."), Length(max=120)], [one_line],
        description="Name or number",
    )  # fmt: skip
    shown = SelectField(
        "Shown", [DataRequired("Choose what is shown.")],
        choices=[("card", "Card"), ("card+finger", "Card and finger"), ("finger", "Finger")], default="card",
    )  # fmt: skip
    direction = SelectField(
        "Direction", [DataRequired("Choose in or out.")], choices=[("in", "In"), ("out", "Out")], default="in"
    )
    at = DateTimeLocalField("Time", [Optional()], format="%Y-%m-%dT%H:%M", description="Site time; empty: now")
