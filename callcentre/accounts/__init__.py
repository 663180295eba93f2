"""Who works here: users, roles, signed-in devices, personal tokens, presence, PSADs followed."""
