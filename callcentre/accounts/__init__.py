"""Who works here: users, roles, sign-in, sessions and tokens."""
