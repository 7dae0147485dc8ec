"""The approval: exactly what would leave, to whom, under which terms, and two buttons of equal weight."""

from __future__ import annotations

from ui.approval.decision import ARM_MS
from ui.approval.dialog import ApprovalDialog
from ui.approval.pictures import THUMB, picture_image
from ui.approval.review import Answer, Review

__all__ = ["ARM_MS", "THUMB", "Answer", "ApprovalDialog", "Review", "picture_image"]
