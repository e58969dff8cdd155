"""Forms of signing in, accounts and the directory. Limits are generous; a wrong value is told beside its field."""

from __future__ import annotations

import unicodedata
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    IntegerField,
    PasswordField,
    SelectMultipleField,
    StringField,
    TelField,
    ValidationError,
)
from wtforms.validators import DataRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from bposite.people import passwords, rules
from bposite.plumbing.errors import Refusal


def one_line(text: str | None) -> str | None:
    """Text without control characters (a NUL breaks PostgreSQL, a line break a header) and outer blanks."""
    if text is None:
        return None
    return "".join(letter for letter in text if unicodedata.category(letter) not in ("Cc", "Cs")).strip()


def text(field: StringField) -> str:
    """What was typed, never None."""
    return field.data or ""


def refuse(form: FlaskForm, refusal: Refusal) -> None:
    """Put a refusal beside the field it is about, or above the form when it is about none."""
    field = form._fields.get(refusal.field or "")
    text = f"{refusal.message} {refusal.remedy}".strip()
    if field is None:
        form.form_errors.append(text)
    else:
        field.errors = [*field.errors, text]


def _limit(longest: int, what: str) -> Length:
    return Length(max=longest, message=f"{what} has at most {longest} characters.")


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Step one."""

    name = StringField(
        "User name", [DataRequired("Type your user name."), _limit(rules.MAX_USER_NAME, "A user name")], [one_line]
    )
    password = PasswordField(
        "Password", [DataRequired("Type your password."), _limit(rules.MAX_PASSWORD, "A password")]
    )


class CodeForm(FlaskForm):  # type: ignore[misc]
    """A code of the authenticator, or a recovery code where one is accepted."""

    code = StringField(
        "Code", [DataRequired("Type the code."), Length(max=32, message="A code is shorter.")], [one_line]
    )


class NewPassword(FlaskForm):  # type: ignore[misc]
    """A password to be; the user name (known or typed beside it) and the site's words are no part of it."""

    user_name = ""
    password = PasswordField("New password", [DataRequired("Choose a password.")])

    def validate_password(self, field: Any) -> None:
        """The rules for passwords, in words."""
        named = self._fields.get("name")
        if found := passwords.problem(field.data, (named.data if named else self.user_name) or ""):
            raise ValidationError(found)


class FirstAdministratorForm(NewPassword):
    """The first account of a site: its name is free to choose."""

    name = StringField(
        "User name",
        [DataRequired("Choose a user name."), _limit(rules.MAX_USER_NAME, "A user name")],
        [one_line],
        description="Small letters, digits, dot, dash. For example a.deshpande",
    )
    display = StringField("Your name", [DataRequired("Type your name."), _limit(120, "A name")], [one_line])

    def validate_name(self, field: Any) -> None:
        """A user name has few kinds of letters, so that no two look alike."""
        if rules.user_name(field.data) is None:
            raise ValidationError("Use letters a to z, digits, dot, dash or underscore.")


class ChangePasswordForm(NewPassword):
    """The old password, then a new one."""

    old = PasswordField(
        "Present password", [DataRequired("Type your present password."), _limit(rules.MAX_PASSWORD, "A password")]
    )


class OldFactorForm(CodeForm):
    """What it takes to change the authenticator: the password and a code of the old one."""

    password = PasswordField(
        "Password", [DataRequired("Type your password."), _limit(rules.MAX_PASSWORD, "A password")]
    )


class Ticks(SelectMultipleField):
    """A list of tick boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    @property
    def ticked(self) -> list[str]:
        """The values that are ticked."""
        return self.data or []


class RolesForm(FlaskForm):  # type: ignore[misc]
    """Which roles an account has."""

    roles = Ticks("Roles", [DataRequired("Choose at least one role.")])


class UserForm(FlaskForm):  # type: ignore[misc]
    """Whose account it is."""

    display = StringField("Name", [DataRequired("Type the name of the person."), _limit(120, "A name")], [one_line])
    email = EmailField("Email", [Optional(), _limit(254, "An email address")], [one_line])
    number = StringField(
        "Staff number",
        [Optional(), _limit(40, "A staff number")],
        [one_line],
        description="Links the account to the person in the directory, such as E-1001",
    )


class NewUserForm(UserForm, RolesForm):
    """A new account; its person sets password and authenticator through a link."""

    name = StringField(
        "User name",
        [DataRequired("Choose a user name."), _limit(rules.MAX_USER_NAME, "A user name")],
        [one_line],
        description="Small letters, digits, dot, dash. For example a.deshpande",
    )


class NewTokenForm(FlaskForm):  # type: ignore[misc]
    """A token for a program."""

    name = StringField("What it is for", [DataRequired("Say what the token is for."), _limit(80, "This")], [one_line])
    days = IntegerField(
        "Days until it ends",
        [
            DataRequired("Say for how many days."),
            NumberRange(1, rules.MAX_TOKEN_DAYS, f"A token lives 1 to {rules.MAX_TOKEN_DAYS} days."),
        ],
        default=90,
    )
    permissions = Ticks("What it may do", [DataRequired("Choose at least one permission.")])


class PersonForm(FlaskForm):  # type: ignore[misc]
    """A staff member or host."""

    number = StringField("Staff number", [DataRequired("Type the staff number."), _limit(40, "A number")], [one_line])
    name = StringField("Name", [DataRequired("Type the name."), _limit(120, "A name")], [one_line])
    title = StringField("What they do", [Optional(), _limit(80, "This")], [one_line])
    client = StringField(
        "Client", [Optional(), _limit(80, "A client")], [one_line], description="Whose work they do; empty: the site's"
    )
    team = StringField("Team", [Optional(), _limit(80, "A team")], [one_line])
    email = EmailField("Email", [Optional(), _limit(254, "An email address")], [one_line])
    phone = TelField("Phone", [Optional(), _limit(40, "A phone number")], [one_line])
    can_host = BooleanField("May receive visitors")
    active = BooleanField("Works here now")

    def validate_email(self, field: Any) -> None:
        """Something before and after one @, no blanks; more can only be known by writing to it."""
        if field.data and not rules.looks_like_email(field.data):
            raise ValidationError("This is not an email address, such as name@example.com.")
