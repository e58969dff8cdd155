"""``bposite user`` and ``bposite token``."""

from __future__ import annotations

import click

from bposite.cli.console import with_site
from bposite.journal.work import Actor, unit_of_work
from bposite.people import actions, queries
from bposite.people.rules import MAX_TOKEN_DAYS, NEVER_FOR_TOKENS, Permission
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.settings import current

ME = Actor.system("command-line")


@click.group()
def user() -> None:
    """Accounts of people who sign in."""


@user.command("create")
@click.argument("name")
@click.option("--display", default="", help="The person's name as others see it.")
@click.option(
    "--role", "roles", multiple=True, required=True, help="reception, guard, facilities, auditor, administrator."
)
@with_site
def create_user(name: str, display: str, roles: tuple[str, ...]) -> None:
    """Make an account and print the one-time link by which its person sets password and second factor."""
    with unit_of_work(ME) as work:
        link = actions.create_user(work, name, display or name, roles)
    click.echo(current().web.address + link.path)


@user.command("list")
@with_site
def list_users() -> None:
    """List the accounts."""
    with reading() as session:
        for row in queries.users(session):
            click.echo(f"{row.name}\t{', '.join(row.roles)}\t{row.state}")


@user.command("reset")
@click.argument("name")
@with_site
def reset_user(name: str) -> None:
    """Take password and factor of NAME away, end all sessions, and print a link to set them anew."""
    with unit_of_work(ME) as work:
        found = queries.user_by_name(work.session, name)
        if found is None:
            raise NotFound("user", f"There is no account {name!r}.")
        link = actions.reset_user(work, found.id)
    click.echo(current().web.address + link.path)


def scope_of(role: str) -> frozenset[Permission]:
    """What a token may do that reads like ``role``: never accounts, tokens or settings. Refusal lists the roles."""
    roles = queries.roles()
    if role not in roles:
        raise Refusal("role", f"There is no role {role!r}.", remedy=f"Choose one of: {', '.join(roles)}.")
    return roles[role].permissions - NEVER_FOR_TOKENS


@click.group()
def token() -> None:
    """Bearer tokens of programs that use the API."""


@token.command("create")
@click.argument("name")
@click.option("--role", default="auditor", show_default=True, help="The token may do what this role may.")
@click.option(
    "--days", default=90, show_default=True, type=click.IntRange(1, MAX_TOKEN_DAYS), help="Days until it ends."
)
@with_site
def create_token(name: str, role: str, days: int) -> None:
    """Make a token; it is shown once and kept as a hash only."""
    with unit_of_work(ME) as work:
        click.echo(actions.create_token(work, name, scope_of(role), days=days).secret)


@token.command("list")
@with_site
def list_tokens() -> None:
    """List the tokens, without the secrets."""
    with reading() as session:
        for row in queries.tokens(session, now()):
            click.echo(f"{row.id}\t{row.name}\t{row.expires_at:%Y-%m-%d}\t{row.state}")


@token.command("revoke")
@click.argument("token_id")
@with_site
def revoke_token(token_id: str) -> None:
    """End a token at once."""
    with unit_of_work(ME) as work:
        actions.revoke_token(work, token_id)


commands = (user, token)
