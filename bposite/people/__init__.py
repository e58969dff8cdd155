"""Staff and hosts, sign-in accounts, roles, sessions, second factors, API tokens."""
