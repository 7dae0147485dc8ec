"""Setting a destination up: its key, its model, and whether it stays on this computer; and adding one of one's own.

Keys go to the keyring only, and are never shown again. What is asked of a server here carries nothing of the person's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPushButton, QWidget

from app.sharing.servers import choices
from app.sharing.types import Destination
from ui.context import Context
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.tokens import GRID
from ui.widgets.badge import policy_badge
from ui.widgets.basics import button, column, hide_if, label, named, row
from ui.widgets.sheet import Sheet
from ui.widgets.told import Told

ELSEWHERE = "elsewhere"
_KEY = "set up destination"


def field(name: str, text: str = "", hint: str = "") -> QLineEdit:
    """One line to fill in."""
    made = QLineEdit(text)
    made.setAccessibleName(name)
    made.setPlaceholderText(hint or name)
    made.setMaxLength(500)
    return made


class SetUpSheet(Sheet):
    """Key, model and locality of one destination. Accepted once it was saved."""

    def __init__(self, parent: QWidget, context: Context, destination: Destination) -> None:
        super().__init__(parent, tr("Set up {name}", name=tr_core(destination.label)), wide=context.theme.scaled(72 * GRID))
        self._context = context
        self._destination = destination
        known = context.services.sharing.card(destination.id)
        theme = context.theme
        self.body.addLayout(row(policy_badge(theme, known.policy_class), label(destination.origin, "small", select=True), None))
        self.body.addWidget(label(tr_core(known.trains.text), tone="muted", wrap=True))
        self._key_part()
        self._model_part()
        self._place_part()
        self.body.addStretch(1)
        self.keep = self.choice(tr("Cancel"))
        self.save = self.choice(tr("Save"))
        self.keep.clicked.connect(self.reject)
        self.save.clicked.connect(self.keep_all)
        self.save.setDefault(True)
        self.finished.connect(lambda _result: context.tasks.cancel(_KEY))

    def _key_part(self) -> None:
        theme, name = self._context.theme, tr_core(self._destination.label)
        self.key = field(tr("Key for {name}", name=name), hint=tr("Kept in the keyring, never shown again"))
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.check = button(theme, tr("Check key"), self.check_key, icon="key", name=tr("Check the key for {name}", name=name))
        self.key_told = Told(theme)
        box = QWidget()
        line = row(gap=GRID)
        line.addWidget(self.key, 1)
        line.addWidget(self.check)
        title = label(tr("Key"), "strong")
        title.setBuddy(self.key)
        box.setLayout(column(title, line, self.key_told, gap=6))
        hide_if(box, not self._destination.needs_key)
        self.body.addWidget(box)

    def _model_part(self) -> None:
        theme, name = self._context.theme, tr_core(self._destination.label)
        self.model = QComboBox()
        self.model.setEditable(True)
        self.model.setAccessibleName(tr("Model of {name}", name=name))
        self.model.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        edit = self.model.lineEdit()
        assert edit is not None
        edit.setPlaceholderText(tr("Name of the model, or choose from the list"))
        edit.setAccessibleName(self.model.accessibleName())
        self.model.setEditText(self._destination.model)
        self.look = button(theme, tr("Show its models"), self.list_models, icon="search", name=tr("Ask {name} for its models", name=name))
        self.model_told = Told(theme)
        line = row(gap=GRID)
        line.addWidget(self.model, 1)
        line.addWidget(self.look)
        title = label(tr("Model"), "strong")
        title.setBuddy(self.model)
        said = label(tr("Asking for the list sends no photo and no question; a receipt says so."), "small", wrap=True)
        self.body.addLayout(column(title, line, said, self.model_told, gap=6))

    def _place_part(self) -> None:
        theme, name = self._context.theme, tr_core(self._destination.label)
        self.place_told = Told(theme)
        self.prove = button(
            theme, tr("Check that it stays here"), self.check_place, icon="local", name=tr("Check that {name} stays here", name=name)
        )
        box = QWidget()
        box.setLayout(column(label(tr("Does it stay on this computer?"), "strong"), row(self.prove, None), self.place_told, gap=6))
        hide_if(box, not self._destination.local)
        self.body.addWidget(box)

    # -- what can be asked -----------------------------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None], told: Told, asked: QPushButton | None = None) -> None:
        told.say(tr("Asking…"))
        if asked is not None:
            asked.setEnabled(False)

        def done() -> None:
            if asked is not None and self.isVisible():
                asked.setEnabled(True)

        self._context.tasks.start(work, key=_KEY, on_error=told.trouble, then=done)

    def check_key(self) -> None:
        self._start(self._checking(), self.key_told, self.check)

    async def _checking(self) -> None:
        await self._store_key()
        report = await self._context.services.sharing.check_key(self._destination.id)
        tone = {True: "good", False: "bad", None: "warn"}[report.good]
        self.key_told.say(tr("{said} (Receipt {number})", said=tr_core(report.text), number=report.receipt), tone)

    async def _store_key(self) -> None:
        """Keep what stands in the field, and clear it; say where it is kept."""
        secret = self.key.text().strip()
        self.key.clear()
        if not secret:
            return
        keys = self._context.services.sharing.book.keys
        kept = await asyncio.get_running_loop().run_in_executor(None, keys.set, self._destination.id, secret)
        self.key.setPlaceholderText(
            tr("A key is in the keyring of this computer") if kept else tr("Kept until Eyelid ends: no keyring can be trusted here")
        )

    def list_models(self) -> None:
        self._start(self._listing(), self.model_told, self.look)

    async def _listing(self) -> None:
        await self._store_key()
        found = await self._context.services.sharing.models(self._destination.id)
        offered = choices(found, local=self._destination.local)
        before = self.model.currentText()
        self.model.clear()
        for model in offered:
            self.model.addItem(model.id)
            self.model.setItemData(self.model.count() - 1, model.title or model.id, Qt.ItemDataRole.ToolTipRole)
        self.model.setEditText(before)
        if not offered:
            self.model_told.say(tr("It has no model that takes pictures."), "warn")
            return
        what = plural(len(offered), "{count} model can be chosen.", "{count} models can be chosen.")
        self.model_told.say(tr("{what} (Receipt {number})", what=what, number=found.receipt), "good")
        self.model.setFocus()
        self.model.showPopup()

    def check_place(self) -> None:
        self._start(self._proving(), self.place_told, self.prove)

    async def _proving(self) -> None:
        await self._store_model()
        found = await self._context.services.sharing.locality(self._destination.id)
        self.place_told.say(tr_core(found.text), "good" if found.local else "bad")

    async def _store_model(self) -> None:
        wanted = self.model.currentText().strip()
        book = self._context.services.sharing.book
        if wanted != self._destination.model:
            self._destination = book.set_model(self._destination.id, wanted)

    def keep_all(self) -> None:
        self._start(self._keeping(), self.model_told, self.save)

    async def _keeping(self) -> None:
        await self._store_model()
        await self._store_key()
        self.accept()


class AddSheet(Sheet):
    """A server of one's own: on this computer, or elsewhere. `made` is what was added."""

    def __init__(self, parent: QWidget, context: Context) -> None:
        super().__init__(parent, tr("Add a destination"), wide=context.theme.scaled(68 * GRID))
        self._context = context
        self.made: Destination | None = None
        self.kind = QComboBox()
        self.kind.setAccessibleName(tr("Kind of server"))
        for words, kind in kinds():
            self.kind.addItem(words, kind)
        self.about = label("", tone="muted", wrap=True)
        self.name, self.url = field(tr("Name")), field(tr("Address"))
        self.company = field(tr("Company that runs it"))
        self.needs_key = QCheckBox(tr("It asks for a key"))
        self.needs_key.setAccessibleName(self.needs_key.text())
        self.needs_key.setChecked(True)
        self.told = Told(context.theme)
        self._company_part = _part(tr("Company that runs it"), self.company)
        for part in (
            _part(tr("Kind of server"), self.kind),
            self.about,
            _part(tr("Name"), self.name),
            _part(tr("Address"), self.url),
            self._company_part,
            self.needs_key,
            self.told,
        ):
            self.body.addWidget(part)
        self.body.addStretch(1)
        keep, self.add = self.choice(tr("Cancel")), self.choice(tr("Add"))
        keep.clicked.connect(self.reject)
        self.add.clicked.connect(self._adding)
        self.add.setDefault(True)
        self.kind.currentIndexChanged.connect(lambda _index: self._describe())
        self._describe()

    def _describe(self) -> None:
        kind = str(self.kind.currentData())
        away = kind == ELSEWHERE
        for part in (self._company_part, self.needs_key):
            part.setVisible(away)
        self.about.setText(
            tr("Any server that speaks the OpenAI way. Nothing is known of its terms, so it counts as one that trains.")
            if away
            else tr("It must run on this computer. Eyelid connects to this computer only, and still shows you what would go first.")
        )
        self.name.setText("" if away else self.kind.currentText().partition(" (")[0])
        self.url.setText(_ADDRESSES.get(kind, ""))
        self.url.setPlaceholderText(tr("https://example.org/v1") if away else tr("http://127.0.0.1:1234/v1"))
        if self.isVisible():
            self.fit()

    def _adding(self) -> None:
        self._context.tasks.start(self._add(), key=_KEY, on_error=self.told.trouble)

    async def _add(self) -> None:
        book, kind = self._context.services.sharing.book, str(self.kind.currentData())
        if kind == ELSEWHERE:
            company = self.company.text() or self.name.text()
            self.made = book.add_custom(self.name.text(), company, self.url.text(), "", needs_key=self.needs_key.isChecked())
        else:
            self.made = book.add_local(self.name.text(), self.url.text(), "", kind)
        self.accept()


_ADDRESSES = {
    "ollama": "http://127.0.0.1:11434",
    "lm-studio": "http://127.0.0.1:1234/v1",
    "llama-cpp": "http://127.0.0.1:8080/v1",
    "vllm": "http://127.0.0.1:8000/v1",
}


def kinds() -> tuple[tuple[str, str], ...]:
    """What can be added, in words, and the kind as the core calls it."""
    return (
        (tr("Ollama (this computer)"), "ollama"),
        (tr("LM Studio (this computer)"), "lm-studio"),
        (tr("llama.cpp (this computer)"), "llama-cpp"),
        (tr("vLLM (this computer)"), "vllm"),
        (tr("Another server (this computer)"), "local-server"),
        (tr("A server elsewhere"), ELSEWHERE),
    )


def _part(name: str, control: QWidget) -> QWidget:
    """A control with its name, which can be hidden."""
    box = QWidget()
    box.setLayout(named(name, control))
    return box


async def missing(context: Context, destination: Destination) -> str:
    """What a destination lacks before anything can be sent there, in words; empty when it is ready."""
    if not destination.model:
        return tr("no model chosen yet")
    if destination.needs_key:
        keys = context.services.sharing.book.keys
        if not await asyncio.get_running_loop().run_in_executor(None, partial(keys.get, destination.id)):
            return tr("no key yet")
    return ""
