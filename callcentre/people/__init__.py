"""Young people, their numbers, guardians, households and opt-outs."""
