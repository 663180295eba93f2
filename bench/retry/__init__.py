"""The retry rule in simulated years: worlds as files, policies compared on equal luck."""
