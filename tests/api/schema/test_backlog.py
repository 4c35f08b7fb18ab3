"""What waits, as the rows say it."""

from app.store import system
from tests.api.world import World


async def test_what_waits_is_read_from_the_rows(world: World) -> None:
    """Documents to be drawn, news to be delivered, subscriptions that are due: how many, and since when."""
    store = world.store
    now = await store.system(system.waiting)
    assert now.waiting["documents"][0] == 3
    assert now.waiting["documents"][1] == 15.0 * 24 * 3600 + 10 * 3600
    assert now.waiting["news"][0] > 3
    assert now.waiting["subscriptions"] == (0, 0.0)

    world.clock.now = world.clock.now.replace(month=5, day=3)
    later = await store.system(system.waiting)
    assert later.waiting["subscriptions"][0] == 2
    assert later.parked == 0
