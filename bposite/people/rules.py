"""Who may do what, and when a sign-in holds: pure decisions, no clock, no session, no I/O.

Sources: OWASP ASVS 5.0 chapters 6 (authentication), 7 (sessions) and 8 (authorization); RFC 6238 section 5.2 (a code
is accepted once); NIST SP 800-63B (length instead of composition rules).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal, get_args

import msgspec

# --- permissions and roles -------------------------------------------------------------------------------------------

Permission = Literal[
    "account:own",
    "now:read",
    "rollcall:run",
    "visits:read",
    "visits:write",
    "visits:approve",
    "watchlist:read",
    "watchlist:write",
    "entries:read",
    "entries:export",
    "frames:view",
    "doors:read",
    "doors:command",
    "doors:configure",
    "devices:read",
    "quarantine:handle",
    "cameras:read",
    "cameras:configure",
    "cleandesk:read",
    "cleandesk:walk",
    "cleandesk:plan",
    "cleandesk:verify",
    "people:read",
    "people:write",
    "users:manage",
    "tokens:manage",
    "journal:read",
    "evidence:read",
    "settings:manage",
]
"""The closed list: ``area:what``. A new one is added here, described below and given to roles in config/roles.toml."""

PERMISSIONS: Mapping[Permission, str] = MappingProxyType(
    {
        "account:own": "Own account: password, second factor, sessions (every person who is signed in)",
        "now:read": "See who and what is on site now",
        "rollcall:run": "Run a roll call",
        "visits:read": "See visits and visitors",
        "visits:write": "Invite, register, check in and check out",
        "visits:approve": "Approve visits that need it",
        "watchlist:read": "See the watch list",
        "watchlist:write": "Change the watch list",
        "entries:read": "Search the entry log",
        "entries:export": "Export the entry log",
        "frames:view": "See pictures and clips",
        "doors:read": "See doors, zones and their state",
        "doors:command": "Unlock, lock and block doors",
        "doors:configure": "Change doors, zones, rights and credentials",
        "devices:read": "See controllers and readers",
        "quarantine:handle": "Look at and release messages that could not be read",
        "cameras:read": "See cameras and their health",
        "cameras:configure": "Change cameras",
        "cleandesk:read": "See clean desk rounds and findings",
        "cleandesk:walk": "Walk a clean desk round",
        "cleandesk:plan": "Plan clean desk rounds",
        "cleandesk:verify": "Verify and close findings",
        "people:read": "See staff and hosts",
        "people:write": "Change staff and hosts",
        "users:manage": "Manage accounts and roles",
        "tokens:manage": "Manage API tokens",
        "journal:read": "See the journal and its proofs",
        "evidence:read": "See controls and evidence",
        "settings:manage": "Change settings",
    }
)
OWN_ACCOUNT: Permission = "account:own"
# What a program must never hold: whoever has these can make further accounts and tokens, so a person with a second
# factor has to stand behind each use (ASVS 8.2.1, 6.3.3).
NEVER_FOR_TOKENS: frozenset[Permission] = frozenset({"account:own", "users:manage", "tokens:manage", "settings:manage"})


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions and the page on which its people land after sign-in."""

    name: str
    title: str
    summary: str
    landing: str
    permissions: frozenset[Permission]


class _RoleText(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    title: str
    summary: str
    landing: str
    permissions: list[str]


def permission(name: str) -> Permission:
    """``name`` as a member of the closed list; ValueError when it is not one."""
    for known in get_args(Permission):
        if name == known:
            return known  # type: ignore[no-any-return]  # a member of the Literal by construction
    raise ValueError(f"{name!r} is not a permission: the closed list is bposite/people/rules.py")


def roles_from(data: Mapping[str, Any]) -> Mapping[str, Role]:
    """Roles from the parsed config/roles.toml, in file order; ValueError names the role that is wrong.

    ``"*"`` among the permissions means all of them. Everybody who is signed in has ``account:own``.
    """
    return MappingProxyType({name: _role(name, text) for name, text in data.items()})


def _role(name: str, text: Any) -> Role:
    try:
        read = msgspec.convert(text, _RoleText)
        named = set(PERMISSIONS) if "*" in read.permissions else {permission(item) for item in read.permissions}
    except (ValueError, msgspec.ValidationError) as error:
        raise ValueError(f"role {name}: {error}") from error
    return Role(name, read.title, read.summary, read.landing, frozenset({*named, OWN_ACCOUNT}))


def granted(roles: Mapping[str, Role], names: Iterable[str]) -> frozenset[Permission]:
    """Union of the permissions of the roles called ``names``; a role that no longer exists gives nothing."""
    return frozenset(held for name in names if name in roles for held in roles[name].permissions)


def landing(roles: Mapping[str, Role], names: Iterable[str]) -> str:
    """The page on which somebody with the roles ``names`` lands: that of the first role in the file's order."""
    held = set(names)
    return next((role.landing for name, role in roles.items() if name in held), "/account/")


def token_scope(wanted: Iterable[str], maker: frozenset[Permission]) -> frozenset[Permission]:
    """What a token may hold: ``wanted``, less nothing; ValueError when its maker lacks one or none may hold it."""
    scope = frozenset(permission(name) for name in wanted)
    if not scope:
        raise ValueError("a token needs at least one permission")
    if refused := sorted((scope & NEVER_FOR_TOKENS) | (scope - maker)):
        raise ValueError(f"a token cannot be given {', '.join(refused)}")
    return scope


# --- names and passwords ---------------------------------------------------------------------------------------------

MIN_PASSWORD = 12
MAX_PASSWORD = 128  # beyond it hashing is a way to keep the server busy; ASVS 6.2.9 asks for at least 64
MAX_USER_NAME = 64
_USER_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?", re.ASCII)


def user_name(text: str) -> str | None:
    """The user name meant by ``text`` (case and outer blanks do not matter), or None when it cannot be one."""
    name = unicodedata.normalize("NFKC", text[: 4 * MAX_USER_NAME]).strip().lower()
    return name if _USER_NAME.fullmatch(name) else None


_EMAIL = re.compile(r"[^\s@\x00-\x1f]{1,64}@[^\s@.\x00-\x1f]+(?:\.[^\s@.\x00-\x1f]+)+")


def looks_like_email(text: str) -> bool:
    """Whether ``text`` has the shape of an address; whether it is one only a message can tell."""
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None


def normal_password(text: str) -> str:
    """The form that is hashed: NFKC, so that two keyboards give the same password (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", text)


def password_problem(password: str, name: str) -> str | None:
    """Why ``password`` cannot be the password of ``name``, in words for that person; None when it can."""
    text = normal_password(password)
    if len(text) < MIN_PASSWORD:
        return f"Use at least {MIN_PASSWORD} characters. Three or four unrelated words work well."
    if len(text) > MAX_PASSWORD:
        return f"Use at most {MAX_PASSWORD} characters."
    if any(unicodedata.category(letter) == "Cc" for letter in text):
        return "Control characters, such as a line break, cannot be part of a password."
    if len(set(text)) < 5:
        return "Use more than four different characters."
    if len(name) >= 4 and name in text.lower():
        return "Leave your user name out of the password."
    return None


# letters with a stroke or of their own, which do not come apart into a letter and an accent
_NO_ACCENT = str.maketrans(
    {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h"}
)


def fold(text: str) -> str:
    """``text`` for a forgiving search: no case, no accents, single blanks ("Zoë  MÜLLER" -> "zoe muller")."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    # once more: taking a letter apart can give a capital, and folding one can give an accent (Unicode 3.13, D146)
    plain = unicodedata.normalize("NFKD", plain).casefold().translate(_NO_ACCENT)
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())


# --- single-use codes ------------------------------------------------------------------------------------------------

STEP_SECONDS = 30
CODE_DIGITS = 6
WINDOW = 1  # steps before and after: a clock up to 30 s wrong is forgiven (RFC 6238 section 5.2)
RECOVERY_CODES = 10
RECOVERY_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that reads as something else


def totp_code(text: str) -> str | None:
    """The six ASCII digits in ``text`` (blanks between them are allowed), or None.

    Other alphabets' digits are refused here: they pass ``isdigit`` and break further on.
    """
    code = "".join(text[:32].split())
    return code if len(code) == CODE_DIGITS and code.isascii() and code.isdigit() else None


def step_of(at: datetime) -> int:
    """The number of the 30 s step in which the aware moment ``at`` lies."""
    return int(at.timestamp()) // STEP_SECONDS


def open_steps(at: datetime, last: int | None) -> range:
    """The steps whose codes are accepted at ``at``: within the window and *greater* than the last one accepted.

    Remembering only the last code would let the one before it through a second time (design page "trust", trap 7).
    """
    middle = step_of(at)
    first = middle - WINDOW if last is None else max(middle - WINDOW, last + 1)
    return range(first, middle + WINDOW + 1)


def recovery_code(text: str) -> str | None:
    """The recovery code in ``text`` as it is hashed (ten characters, no dash), or None when it cannot be one."""
    code = "".join(letter for letter in text[:32].upper() if letter not in " -")
    return code if len(code) == 10 and all(letter in RECOVERY_ALPHABET for letter in code) else None


# --- lock-out --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LockPolicy:
    """After ``free`` failures each further one doubles the wait from ``first`` up to ``longest``.

    Failures are forgotten ``forget`` after the last one, and one by one every ``drain`` (None: not singly). The wait
    ends by itself, so nobody can be shut out for good by a stranger who knows the name.
    """

    free: int
    first: timedelta
    longest: timedelta
    forget: timedelta
    drain: timedelta | None = None


LOCK_BY_NAME = LockPolicy(4, timedelta(seconds=15), timedelta(minutes=15), timedelta(hours=6))
# A whole site may sign in through one address: more is free, the waits are shorter, and the few mistakes a minute that
# hundreds of people make never add up.
LOCK_BY_ADDRESS = LockPolicy(40, timedelta(seconds=5), timedelta(minutes=5), timedelta(hours=1), timedelta(seconds=20))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a try comes from: network address, browser, and its device cookie as sent (checked before it counts)."""

    address: str
    agent: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class Failures:
    """How often a sign-in failed in a row under one key, and when last."""

    count: int
    last: datetime


def after_failure(before: Failures | None, at: datetime, policy: LockPolicy) -> Failures:
    """The record after one more failure at ``at``."""
    if before is None or at - before.last >= policy.forget:
        return Failures(1, at)
    drained = max(at - before.last, timedelta(0)) // policy.drain if policy.drain else 0
    return Failures(max(before.count - drained, 0) + 1, max(at, before.last))


def wait(failures: Failures | None, at: datetime, policy: LockPolicy) -> timedelta:
    """How long from ``at`` until a further attempt is looked at; zero when it may be made now."""
    if failures is None or failures.count <= policy.free or at - failures.last >= policy.forget:
        return timedelta(0)
    doublings = min(failures.count - policy.free - 1, 20)  # far beyond any limit, and no overflow
    delay = min(policy.first * (1 << doublings), policy.longest)
    return max(failures.last + delay - at, timedelta(0))


# --- sessions --------------------------------------------------------------------------------------------------------

IDLE = timedelta(hours=2)  # a desk that is left over lunch
ABSOLUTE = timedelta(hours=12)  # one shift
PENDING = timedelta(minutes=5)  # between password and code
FRESH = timedelta(minutes=10)  # how long a given code stands behind sensitive actions
SEEN_EVERY = timedelta(minutes=1)  # how exact "last seen" is; each note is a write
LINK_AGE = timedelta(hours=72)
FIRST_LINK_AGE = timedelta(hours=24)
MAX_TOKEN_DAYS = 366


def in_words(span: timedelta) -> str:
    """A waiting time for people, rounded up: "15 seconds", "2 minutes"."""
    seconds = max(-(-span // timedelta(seconds=1)), 1)
    number, unit = (seconds, "second") if seconds < 90 else (-(-seconds // 60), "minute")
    return f"{number} {unit}{'' if number == 1 else 's'}"


EndReason = Literal["signed_out", "idle", "too_old", "ended_by_person", "ended_by_administrator", "credentials_changed"]


def session_over(created: datetime, last_seen: datetime, at: datetime) -> EndReason | None:
    """Why a session that is not yet ended holds no longer at ``at``; None while it does (ASVS 7.3.1, 7.3.2)."""
    if at - created >= ABSOLUTE:
        return "too_old"
    return "idle" if at - last_seen >= IDLE else None


def is_fresh(confirmed: datetime, at: datetime) -> bool:
    """Whether a code confirmed at ``confirmed`` still stands behind a sensitive action at ``at`` (ASVS 7.5.3)."""
    return timedelta(0) <= at - confirmed < FRESH


_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrom", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
    ("Mac OS", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def browser_of(agent: str) -> str:
    """A User-Agent header in words ("Firefox on Windows"), for recognising one's own sessions; no more than that."""
    browser = next((word for mark, word in _BROWSERS if mark in agent), "")
    system = next((word for mark, word in _SYSTEMS if mark in agent), "")
    return f"{browser} on {system}" if browser and system else browser or system or "Unknown program"


_LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*", re.ASCII)


def safe_next(target: str | None) -> str | None:
    """``target`` when it is a path of this site, else None: no open redirect, no other host, no control character."""
    if target is None or len(target) > 2000 or not _LOCAL_PATH.fullmatch(target):
        return None
    return target
