"""What every page is given: the services, the look, and a place to start work."""

from __future__ import annotations

from dataclasses import dataclass

from app.services import Services
from ui.memory import Memory
from ui.tasks import Tasks
from ui.theme import Theme


@dataclass(frozen=True, slots=True)
class Context:
    services: Services
    theme: Theme
    tasks: Tasks
    memory: Memory
