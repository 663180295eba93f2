"""Eligible people planned into blocks."""
