"""Rows of people, accounts and sign-ins. Secrets are kept as hashes, or sealed with the site's key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from bposite.plumbing.db import Json, Model, UtcDateTime

END_REASONS = ("signed_out", "idle", "too_old", "ended_by_person", "ended_by_administrator", "credentials_changed")


class Person(Model):
    """A staff member; with ``can_host`` somebody whom visitors come to see."""

    __tablename__ = "person"
    __table_args__ = (UniqueConstraint("number", name="uq_person_number"), Index("ix_person_search", "search"))
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    number: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    search: Mapped[str] = mapped_column(String(600))  # rules.fold of everything that people type to find somebody
    client: Mapped[str] = mapped_column(String(80), default="")
    team: Mapped[str] = mapped_column(String(80), default="")
    title: Mapped[str] = mapped_column(String(80), default="")
    shift: Mapped[str] = mapped_column(String(40), default="")  # slug of the doors feature's schedule
    email: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    can_host: Mapped[bool] = mapped_column(Boolean(create_constraint=False), default=True)
    active: Mapped[bool] = mapped_column(Boolean(create_constraint=False), default=True)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class User(Model):
    """A sign-in account. Without password *and* factor nobody can sign in with it."""

    __tablename__ = "user_account"  # "user" is a reserved word of PostgreSQL
    __table_args__ = (
        UniqueConstraint("name", name="uq_user_account_name"),
        Index("ix_user_account_person_id", "person_id"),
        CheckConstraint("(password_hash IS NULL) = (factor IS NULL)", name="both_or_none"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    display: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254), default="")
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id", name="fk_user_account_person_id"))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    factor: Mapped[bytes | None] = mapped_column(LargeBinary)  # TOTP secret, sealed
    factor_step: Mapped[int | None] = mapped_column(BigInteger)  # the last step accepted: only greater ones follow
    active: Mapped[bool] = mapped_column(Boolean(create_constraint=False), default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    password_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    signed_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UserRole(Model):
    """A role of a user; roles and their permissions are in config/roles.toml."""

    __tablename__ = "user_role"
    user_id: Mapped[str] = mapped_column(
        ForeignKey("user_account.id", name="fk_user_role_user_id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(String(40), primary_key=True)


class RecoveryCode(Model):
    """A code for the day the phone is lost. Kept as a keyed hash, used once."""

    __tablename__ = "recovery_code"
    __table_args__ = (Index("ix_recovery_code_user_id", "user_id"),)
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(
        ForeignKey("user_account.id", name="fk_recovery_code_user_id", ondelete="CASCADE")
    )
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UserSession(Model):
    """A sign-in on one browser. The browser holds a random value; here is its hash."""

    __tablename__ = "user_session"
    __table_args__ = (
        UniqueConstraint("secret_hash", name="uq_user_session_secret_hash"),
        Index("ix_user_session_user_id", "user_id", "ended_at"),
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended"),
        CheckConstraint(f"end_reason IN {END_REASONS}", name="end_reason"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[str] = mapped_column(
        ForeignKey("user_account.id", name="fk_user_session_user_id", ondelete="CASCADE")
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime] = mapped_column(UtcDateTime)  # the last second factor given in this session
    address: Mapped[str] = mapped_column(String(45))
    agent: Mapped[str] = mapped_column(String(200))
    new_factor: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed; while the authenticator is being changed
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(String(30))


class SignInStep(Model):
    """Between password and code: which account the right password was given for. Lives five minutes."""

    __tablename__ = "sign_in_step"
    __table_args__ = (Index("ix_sign_in_step_created_at", "created_at"),)
    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(
        ForeignKey("user_account.id", name="fk_sign_in_step_user_id", ondelete="CASCADE")
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SignInFailure(Model):
    """Failures in a row under one key: the keyed hash of a name as typed (known or not) or of an address."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (Index("ix_sign_in_failure_last_at", "last_at"),)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OneTimeLink(Model):
    """A link that lets one person set password and factor once. ``user_id`` is empty for the first administrator."""

    __tablename__ = "one_time_link"
    __table_args__ = (
        UniqueConstraint("secret_hash", name="uq_one_time_link_secret_hash"),
        Index("ix_one_time_link_user_id", "user_id"),
        CheckConstraint("purpose IN ('first_administrator', 'invitation', 'reset')", name="purpose"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(30))
    user_id: Mapped[str | None] = mapped_column(
        ForeignKey("user_account.id", name="fk_one_time_link_user_id", ondelete="CASCADE")
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # what was chosen in the first step, until the code of the second step confirms it
    name: Mapped[str | None] = mapped_column(String(64))
    display: Mapped[str | None] = mapped_column(String(120))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    factor: Mapped[bytes | None] = mapped_column(LargeBinary)


class ApiToken(Model):
    """A program's way in: a bearer token with a fixed scope. The hash is here, the token was shown once."""

    __tablename__ = "api_token"
    __table_args__ = (UniqueConstraint("secret_hash", name="uq_api_token_secret_hash"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(80))
    permissions: Mapped[list[str]] = mapped_column(Json)
    maker_id: Mapped[str | None] = mapped_column(
        ForeignKey("user_account.id", name="fk_api_token_maker_id", ondelete="SET NULL")
    )
    maker: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
