"""How they arrive: reading, mapping, matching and importing list files."""
