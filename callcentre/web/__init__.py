"""Pages, JSON API and event streams, by who is looking."""
