"""How we reach them: attempts and promised callbacks."""
