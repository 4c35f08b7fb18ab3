"""The rows: SQLAlchemy Core tables, queries and migrations live here and nowhere else. Rows in, frozen values
out.

Nobody opens a connection of their own. `open_store` gives a Store, and the Store has doors: `run` to write
for one customer, `reads` to read for one customer, `deployment` for the tables nobody owns, `system` for the
few look-ups across customers. Through a door comes a `Tx`; a query is a plain function that takes it first.
"""
