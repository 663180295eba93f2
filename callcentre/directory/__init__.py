"""Partners, services, entry conditions and territories."""
