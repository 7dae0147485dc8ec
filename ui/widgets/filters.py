"""Which captures are shown, as chips that can be combined, and lists of glasses and albums where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from app.library.types import Query, Sharing
from app.vault.types import ItemKind
from ui.i18n import tr
from ui.theme import Theme, set_role
from ui.widgets.basics import dress
from ui.widgets.chips import Chip
from ui.widgets.flow import FlowLayout

_KINDS = {"photo": ItemKind.PHOTO, "video": ItemKind.VIDEO, "sound": ItemKind.SOUND}
_EITHER = ({"private", "shared"},)
"""Chips of which at most one can be on."""
_ANY_GLASSES = "\0"
"""In the list of glasses: whichever, but glasses. No name is like this."""


class FilterBar(QWidget):
    """`changed` after each choice of a person; `query` is what they chose, without words to search for."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.chips: dict[str, Chip] = {}
        self._flow = FlowLayout()
        for key, text, icon in (
            ("all", tr("All"), ""),
            ("photo", tr("Photos"), "photo"),
            ("video", tr("Videos"), "video"),
            ("sound", tr("Sounds"), "sound"),
            ("favourite", tr("Favourites"), "star"),
            ("private", tr("Private"), "private"),
            ("shared", tr("Shared"), "sent"),
        ):
            self._chip(key, text, icon)
        self.glasses = self._list(tr("Glasses"))
        self.albums = self._list(tr("Album"))
        self._chip("trash", tr("Trash"), "trash")
        self.setLayout(self._flow)
        self.chips["all"].setChecked(True)
        self.list_glasses(())
        self.list_albums(())
        theme.changed.connect(self._tint)

    def _chip(self, key: str, text: str, icon: str) -> None:
        chip = self.chips[key] = Chip(text, tr("Show: {filter}", filter=text))
        if icon:
            dress(self._theme, chip, icon, "muted", on="accent", size=16)
        chip.clicked.connect(lambda _on: self._pressed(key))
        self._flow.addWidget(chip)

    def _list(self, name: str) -> QComboBox:
        made = QComboBox()
        set_role(made, "chip")
        made.setAccessibleName(name)
        made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        made.activated.connect(lambda _index: self._settle())
        self._flow.addWidget(made)
        return made

    def _tint(self) -> None:
        """The lists' icons in the colours in force; those of the chips are seen to with all the others of the window."""
        size = self._theme.scaled(16)
        for box, icon in ((self.glasses, "glasses"), (self.albums, "album")):
            box.setIconSize(QSize(size, size))
            for index in range(box.count()):
                box.setItemIcon(index, self._theme.icon(icon, "muted", size=size))

    def _on(self, key: str) -> bool:
        return self.chips[key].isChecked()

    def _pressed(self, key: str) -> None:
        """ "All" takes back the other chips; the trash stands alone; and what excludes each other does."""
        for other, chip in self.chips.items():
            apart = key in ("all", "trash") or other == "trash" or any({key, other} <= group for group in _EITHER)
            if other not in (key, "all") and apart:
                chip.setChecked(False)
        self._settle()

    def _settle(self) -> None:
        self.chips["all"].setChecked(not any(chip.isChecked() for key, chip in self.chips.items() if key != "all"))
        for box in (self.glasses, self.albums):
            set_role(box, tone="accent" if box.currentData() else "")
        self.changed.emit()

    @property
    def query(self) -> Query:
        kinds = frozenset(kind for key, kind in _KINDS.items() if self._on(key))
        sharing = Sharing.PRIVATE if self._on("private") else Sharing.SHARED if self._on("shared") else None
        made = Query(kinds, sharing, self._on("favourite"), trashed=self._on("trash"), album=self.album)
        worn = str(self.glasses.currentData() or "")
        return replace(made, only_glasses=True) if worn == _ANY_GLASSES else replace(made, glasses=worn)

    @property
    def album(self) -> str:
        """The album that is shown; empty for all."""
        return str(self.albums.currentData() or "")

    def clear(self) -> None:
        """Show all again; tells nobody."""
        for key, chip in self.chips.items():
            chip.setChecked(key == "all")
        self.list_glasses(())
        self.list_albums(())

    def list_glasses(self, found: Sequence[tuple[str, int]]) -> None:
        """Offer the glasses that captures are from; one pair alone is not told from "any glasses"."""
        whole = ((tr("From anywhere"), ""), (tr("From glasses"), _ANY_GLASSES))
        self._fill(self.glasses, whole, found if len(found) > 1 else (), shown=bool(found))

    def list_albums(self, found: Sequence[tuple[str, int]]) -> None:
        """Offer the albums there are now; one that has emptied is left."""
        self._fill(self.albums, ((tr("All albums"), ""),), found, shown=bool(found))

    def _fill(self, box: QComboBox, whole: Sequence[tuple[str, str]], found: Sequence[tuple[str, int]], *, shown: bool) -> None:
        """Offer `whole` (words and value), then each name that was `found`; the choice stays where it is still there."""
        was = str(box.currentData() or "")
        wanted = [*whole, *((tr("{name} ({count})", name=name, count=count), name) for name, count in found)]
        if wanted != [(box.itemText(index), box.itemData(index)) for index in range(box.count())]:
            box.clear()
            for text, name in wanted:
                box.addItem(text, name)
            self._tint()
            box.setCurrentIndex(max(0, box.findData(was)))
            set_role(box, tone="accent" if box.currentData() else "")
        if box.isHidden() == shown:
            box.setVisible(shown)
