"""The JSON API: the same verbs as the pages, for programs that hold a personal token."""

from __future__ import annotations

from callcentre.web.api import figures, leases, lists, openapi, people
from callcentre.web.api.blueprint import blueprint

__all__ = ["blueprint", "figures", "leases", "lists", "openapi", "people"]
