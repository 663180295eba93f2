"""How far they have come: append-only stage changes, stage rules and counts."""
