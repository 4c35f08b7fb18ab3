"""The small world, for every test here that asks for it."""

from tests.api.lived import lived_in, postgres_world, sqlite_world, world

__all__ = ["lived_in", "postgres_world", "sqlite_world", "world"]
