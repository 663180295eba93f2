"""Who works here: users and their roles, signed-in devices, personal tokens, presence, the PSADs they follow."""
