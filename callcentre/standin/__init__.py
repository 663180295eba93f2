"""A stand-in of the telephone provider on loopback, for tests and for the demonstration; nothing ever leaves it."""
