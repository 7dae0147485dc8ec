"""The queue of events keeps what must not be lost."""

from __future__ import annotations

from ble.event_queue import EventQueue


async def test_the_event_queue_keeps_what_must_not_be_lost() -> None:
    queue: EventQueue[object] = EventQueue((int,), (str,), room=4)
    for event in (1, 2, "a", 3, b"x", b"y", b"z", 4, 5):
        queue.put(event)
    queue.close()
    queue.put(b"late")
    assert [event async for event in queue.read()] == [b"x", b"y", b"z", 5]
    full: EventQueue[object] = EventQueue((), (), room=2)
    for event in (1, 2, 3):
        full.put(event)
    full.close()
    assert [event async for event in full.read()] == [1, 2, 3]
