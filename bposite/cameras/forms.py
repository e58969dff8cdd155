"""Forms of cameras. What was typed is kept when something is refused, and told beside its field."""

from __future__ import annotations

import json
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DecimalField,
    HiddenField,
    IntegerField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from bposite.cameras.queries import CameraRow
from bposite.cameras.rules.address import Address, parse
from bposite.cameras.rules.plan import CameraPlan, Cover

LONGEST_SHAPES = 20_000


def plain(text: str | None) -> str | None:
    """Text on one line, without control characters and outer blanks."""
    return None if text is None else "".join(letter for letter in text if letter.isprintable()).strip()


class CameraForm(FlaskForm):  # type: ignore[misc]
    """One camera. The password is never shown; an empty one keeps what is stored."""

    name = StringField("Name", [DataRequired("Give the camera a name."), Length(max=120)], [plain])
    url = StringField(
        "Address",
        [DataRequired("Give the address of the stream."), Length(max=480)],
        [plain],
        description="Such as rtsp://192.0.2.10:554/stream1. A user name and password in it are taken out and sealed.",
    )
    username = StringField("User name at the camera", [Length(max=120)], [plain])
    password = PasswordField("Password at the camera", [Length(max=120)], description="Leave empty to keep it.")
    transport = SelectField(
        "Transport", choices=[("tcp", "TCP (safe)"), ("udp", "UDP (less delay, may lose pictures)")]
    )
    doors = SelectMultipleField(
        "Doors in its view", option_widget=CheckboxInput(), widget=ListWidget(prefix_label=False)
    )
    zones = SelectMultipleField(
        "Zones in its view", option_widget=CheckboxInput(), widget=ListWidget(prefix_label=False)
    )
    offset_ms = IntegerField(
        "Offset",
        [InputRequired("Give an offset; 0 is usual."), NumberRange(-30_000, 60_000, "Between -30000 and 60000.")],
        description="Milliseconds after an event at which the person is in the middle of the picture.",
    )
    expected_rate = DecimalField(
        "Expected frame rate",
        [Optional(), NumberRange(0.1, 240, "Between 0.1 and 240.")],
        description="Frames a second; health warns when the stream is a quarter off. Empty: not checked.",
    )
    enabled = BooleanField("Recording is on")

    def validate_url(self, field: StringField) -> None:
        """The address must be one of a camera."""
        try:
            parse(field.data or "")
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def validate_password(self, field: PasswordField) -> None:
        """A password needs its user name."""
        if field.data and not self.username.data and not parse_quietly(self.url.data).username:
            raise ValidationError("Give the user name that belongs to it.")


def parse_quietly(text: str | None) -> Address:
    """The address as far as it can be read."""
    try:
        return parse(text or "")
    except ValueError:
        return Address("")


def camera_form(row: CameraRow, doors: dict[str, str], zones: dict[str, str]) -> CameraForm:
    """The form of a camera, filled with what is stored unless something was sent."""
    form = CameraForm(
        data={
            "name": row.name,
            "url": row.url,
            "transport": row.transport,
            "doors": [door for door, _ in row.doors],
            "zones": list(row.zones),
            "offset_ms": _common_offset(row),
            "expected_rate": row.expected_rate,
            "enabled": row.enabled,
        }
    )
    form.doors.choices = list((doors | {door: door for door, _ in row.doors if door not in doors}).items())
    form.zones.choices = list((zones | {zone: zone for zone in row.zones if zone not in zones}).items())
    return form


def _covers(form: CameraForm, row: CameraRow) -> list[str | Cover]:
    """The chosen doors; one that had an offset of its own keeps it while the common one is left as it was."""
    own, shown, wanted = dict(row.doors), _common_offset(row), form.offset_ms.data or 0
    return [Cover(door, own.get(door, wanted) if wanted == shown else wanted) for door in form.doors.data or []]


def _common_offset(row: CameraRow) -> int:
    return min((offset for _, offset in row.doors), default=0)


def plan_of(form: CameraForm, row: CameraRow) -> CameraPlan:
    """What the form says, as the plan of the camera."""
    address = parse(form.url.data or "")
    if form.username.data:
        address = Address(address.url, form.username.data, form.password.data or "")
    rate: Any = form.expected_rate.data
    return CameraPlan(
        id=row.id,
        name=form.name.data or "",
        url=address.full(),
        doors=_covers(form, row),
        zones=list(form.zones.data or []),
        offset_ms=form.offset_ms.data or 0,
        transport=form.transport.data,
        expected_rate=None if rate is None else float(rate),
        ring_mb=row.ring_mb,
        enabled=bool(form.enabled.data),
    )


class ShapesForm(FlaskForm):  # type: ignore[misc]
    """Shapes drawn in the browser: JSON in a hidden field."""

    shapes = HiddenField()

    def read(self) -> Any:
        """The shapes as plain lists; ValueError in words when what was sent is not that."""
        text = self.shapes.data or "[]"
        try:
            found = json.loads(text) if len(text) <= LONGEST_SHAPES else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, list):
            raise ValueError("The drawing could not be read. Draw it again.")
        return found


class ReferenceForm(FlaskForm):  # type: ignore[misc]
    """A person confirms that the view is right."""

    label = SelectField("For", choices=[("day", "Day"), ("night", "Night")])


class ReasonForm(FlaskForm):  # type: ignore[misc]
    """Why pictures leave the house."""

    reason = StringField("Reason", [Length(max=400)], [plain], description="Who asked, and what for. It is recorded.")


class RedactForm(ShapesForm):
    """Rectangles on a picture, what they mean, and the person's word that the result is right."""

    reason = StringField("Reason", [Length(max=400)], [plain], description="Who asked, and what for. It is recorded.")
    mode = SelectField("Rectangles", choices=[("keep", "Show only these"), ("hide", "Hide these")])
    confirmed = HiddenField()
