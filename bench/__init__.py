"""Reproducible measurements: `make bench`; what they showed is in `docs/performance.md`."""
