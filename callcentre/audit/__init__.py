"""Who looked at or changed what, and what the jobs did; append-only."""
