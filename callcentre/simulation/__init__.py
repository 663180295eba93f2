"""Trying a policy on invented people before living with it: years played under a virtual clock, compared by seed.

Two resolutions share worlds, luck and rules. The *full* one (`full`) plays through the program's own verbs in a
database file of its own; the *light* one (`light`) drives the pure rule on people in memory, fast enough for many
seeds. `comparing` plays several arms with the same luck, `advice` looks for what would reach the target, `runs` keeps
what was asked and what came of it in files beside the data, and `report` says it in words. Nothing here touches the
live database or any telephone.
"""
