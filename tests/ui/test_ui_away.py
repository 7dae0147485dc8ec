"""Whatever the settings say of locking: no permission outlasts being away, or a sleep of the computer."""

from __future__ import annotations

import pytest

from app.settings import LOCK_AWAY


@pytest.mark.parametrize("locks", [True, False])
async def test_no_permission_outlasts_being_away(window, services, until, locks) -> None:
    services.settings.set(LOCK_AWAY, locks)
    window.guard.watch.away.emit()
    if locks:
        await until(lambda: window.rooms.currentWidget() is window.lock_page)
    else:
        await until(lambda: "void: You were away, or the computer went to sleep." in services.sharing.calls)
        assert window.rooms.currentWidget() is window.inside
