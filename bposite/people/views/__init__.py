"""Screens of signing in, the own account, accounts, tokens and the directory."""

from bposite.people.views import account, directory, enrol, signin, tokens, users

blueprints = (
    signin.blueprint,
    enrol.blueprint,
    account.blueprint,
    users.blueprint,
    tokens.blueprint,
    directory.blueprint,
)
