"""Forms of the clean desk. A wrong value is told beside its field, and what was typed stays."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from bposite.cleandesk.rules.programme import FREQUENCIES
from bposite.cleandesk.tables import NOTE_LETTERS
from bposite.cleandesk.words import KIND_WORDS, MOMENT_WORDS, PURPOSE_WORDS
from bposite.people.forms import one_line, refuse

__all__ = [
    "ActionForm",
    "ClaimForm",
    "DisputeForm",
    "ExemptionForm",
    "ImportForm",
    "LockerForm",
    "LogForm",
    "PlaceForm",
    "PlanForm",
    "RiskForm",
    "RoundForm",
    "WordsForm",
    "refuse",
]

TARGETS = [("0.90", "at least 90 %"), ("0.95", "at least 95 %"), ("0.98", "at least 98 %")]
CONFIDENCES = [("0.90", "90 % confidence"), ("0.95", "95 % confidence"), ("0.99", "99 % confidence")]


class Ticks(SelectMultipleField):
    """A list of tick boxes; at least one is needed."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def _text(longest: int) -> Length:
    return Length(max=longest, message=f"Use at most {longest} characters.")


def _needed(words: str) -> DataRequired:
    return DataRequired(words)


class PlanForm(FlaskForm):  # type: ignore[misc]
    """A line of the programme."""

    name = StringField("Name", [_needed("Give the plan a name."), _text(120)], [one_line])
    zones = Ticks("Zones", [_needed("Choose at least one zone.")])
    kinds = Ticks(
        "What is looked at", [_needed("Choose at least one kind of place.")], choices=list(KIND_WORDS.items())
    )
    shifts = Ticks("Shifts", [_needed("Choose at least one shift.")])
    moments = Ticks("When", [_needed("Choose at least one moment.")], choices=list(MOMENT_WORDS.items()))
    frequency = SelectField("How often", choices=list(FREQUENCIES.items()))
    target = SelectField("What you want to say", choices=TARGETS, default="0.95")
    confidence = SelectField("How sure", choices=CONFIDENCES, default="0.95")
    fails_allowed = IntegerField(
        "Fails it has to bear",
        [InputRequired("Give a number."), NumberRange(0, 20, "Between 0 and 20.")],
        default=0,
        description="More fails need a larger sample.",
    )
    exercise = BooleanField("Exercise: nothing of it counts, nobody is alarmed")


class RoundForm(FlaskForm):  # type: ignore[misc]
    """A round to plan."""

    plan = HiddenField()
    name = StringField("Name", [_needed("Give the round a name."), _text(120)], [one_line])
    purpose = RadioField(
        "Purpose",
        choices=[(key, PURPOSE_WORDS[key]) for key in ("random", "targeted")],
        default="random",
    )
    zones = Ticks("Zones", [_needed("Choose at least one zone.")])
    kinds = Ticks(
        "What is looked at", [_needed("Choose at least one kind of place.")], choices=list(KIND_WORDS.items())
    )
    shift = SelectField("Shift")
    moment = SelectField("When", choices=list(MOMENT_WORDS.items()))
    size = IntegerField("Places to look at", [Optional(), NumberRange(1, 400, "Between 1 and 400.")])
    places = TextAreaField(
        "Places", [_text(4000)], description="Only for a targeted check: their names, separated by commas or spaces."
    )
    reason = StringField("Why", [_text(200)], [one_line], description="For a targeted check: what it follows up.")
    day = DateField("Day", [InputRequired("Choose a day.")])
    time = TimeField("From", [InputRequired("Choose a time.")])
    auditor = SelectField("Auditor", [_needed("Choose who walks.")])
    second = SelectField("Second auditor", default="", description="Sees one in ten again, without the answers.")
    exercise = BooleanField("Exercise: nothing of it counts, nobody is alarmed")


class WordsForm(FlaskForm):  # type: ignore[misc]
    """A few words: a proof, a reason, a note."""

    words = TextAreaField("Words", [_text(NOTE_LETTERS)])


class DisputeForm(FlaskForm):  # type: ignore[misc]
    """Why the team says it is not so."""

    reason = TextAreaField("Why it is not so", [_text(NOTE_LETTERS)])


class ActionForm(FlaskForm):  # type: ignore[misc]
    """A corrective action."""

    what = TextAreaField("What is to be done", [_needed("Say what is to be done."), _text(NOTE_LETTERS)])
    owner = StringField(
        "Who does it",
        [_needed("Choose somebody.")],
        [one_line],
        render_kw={"list": "people", "autocomplete": "off"},
        description="Number in the directory, such as E-1004.",
    )
    due_day = DateField("By the day", [InputRequired("Choose a day.")])
    due_time = TimeField("At", [InputRequired("Choose a time.")])


class RiskForm(FlaskForm):  # type: ignore[misc]
    """Live with it for a while."""

    reason = TextAreaField("Why this can wait", [_needed("Say why."), _text(NOTE_LETTERS)])
    until = DateField("Until", [InputRequired("Choose a day.")])


class PlaceForm(FlaskForm):  # type: ignore[misc]
    """One place of the roster."""

    id = StringField("Name", [_needed("Give the place a name."), _text(40)], [one_line])
    kind = SelectField("Kind", choices=list(KIND_WORDS.items()))
    label = StringField("Other words for it", [_text(80)], [one_line])
    zone = SelectField("Zone")
    zone_type = SelectField("Checklist")
    row = StringField("Row or bay", [_text(20)], [one_line])
    team = StringField("Team", [_text(80)], [one_line], render_kw={"list": "teams", "autocomplete": "off"})
    client = StringField("Client", [_text(80)], [one_line])
    shifts = StringField("Shifts", [_text(80)], [one_line], description="Short words, such as day night.")
    x = StringField("Metres from the left", [_text(12)], [one_line])
    y = StringField("Metres from the top", [_text(12)], [one_line])

    def typed(self) -> dict[str, Any]:
        """What was typed, as a row of the roster."""
        return {name: field.data for name, field in self._fields.items() if name != "csrf_token" and field.data}


class LogForm(FlaskForm):  # type: ignore[misc]
    """A result log of osquery."""

    file = FileField("Result log")


class ExemptionForm(FlaskForm):  # type: ignore[misc]
    """A device that somebody may have in a no-device zone for a while."""

    tag = StringField("Tag on the device", [_needed("Give the tag."), _text(40)], [one_line])
    what = StringField("Device", [_needed("Say what it is."), _text(120)], [one_line])
    person = StringField(
        "Who", [_needed("Choose somebody.")], [one_line], render_kw={"list": "people", "autocomplete": "off"}
    )
    reason = StringField("Why", [_needed("Say why."), _text(200)], [one_line])
    until = DateField("Until", [InputRequired("Choose a day.")])


class LockerForm(FlaskForm):  # type: ignore[misc]
    """A locker and who has it."""

    locker = StringField("Locker", [_needed("Give its number."), _text(20)], [one_line])
    zone = SelectField("Before zone")
    person = StringField(
        "Who", [_text(160)], [one_line], render_kw={"list": "people", "autocomplete": "off"}, description="Empty: free."
    )


class ImportForm(FlaskForm):  # type: ignore[misc]
    """A CSV file of places."""

    file = FileField("CSV file")


class ClaimForm(FlaskForm):  # type: ignore[misc]
    """What one would like to say. Sent by GET: the address of a claim can be kept and shown."""

    class Meta:
        """No token: nothing changes."""

        csrf = False

    target = SelectField("Claim", choices=TARGETS, default="0.95")
    confidence = SelectField("Confidence", choices=CONFIDENCES, default="0.95")
    months = SelectField("Period")
    client = SelectField("Client")
