"""Whose turn is it: entries, balance and leases."""
