"""One frozen picture of now, and whether a new picture is worth pushing."""
