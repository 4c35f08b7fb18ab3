"""The sub-commands of `seatport`, one file each: they read their options, open the store, run one service,
and say in plain words what came of it.
"""
