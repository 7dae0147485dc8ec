"""Settings made from the declared list, the search over them, and the report of Diagnostics."""

from __future__ import annotations

import asyncio

import pytest

from app import doctor
from app.doctor import Finding
from app.settings import ALL, IDLE_LOCK, REGION, THEME, WATCH_FOLDER, Group, Settings, SettingsError, named
from tests.ui.hands import texts
from ui.pages.diagnostics import report


@pytest.fixture
async def page(window, services):
    window.go("settings")
    return window.settings


def pick(row, value: str) -> None:
    row.field.setCurrentIndex(row.field.findData(value))
    row.field.activated.emit(row.field.currentIndex())


async def test_every_declared_setting_has_a_line_with_help_and_its_name_at_the_terminal(page) -> None:
    assert set(page.rows) == {setting.key for setting in ALL}
    said = texts(page)
    for setting in ALL:
        assert setting.title in said
        assert setting.help in said
        assert f"eyelid settings {setting.key}" in page.rows[setting.key].field.accessibleDescription()
        assert page.rows[setting.key].field.accessibleName() == setting.title
    for group in Group:
        assert group.value in said


async def test_theme_and_text_size_count_at_once_and_are_kept(page, services, theme, window) -> None:
    async def settle() -> None:  # a new look takes its time where the machine is busy
        while window.tasks._running:
            await asyncio.sleep(0)

    pick(page.rows["theme"], "dark")
    await settle()
    assert theme.palette.dark
    assert services.settings.get(THEME) == "dark"
    before = theme.px(14)
    pick(page.rows["text_size"], "200")
    await settle()
    assert theme.px(14) == 2 * before
    assert Settings(services.profile.settings).value(named("text_size")) == "200"


async def test_what_was_changed_can_be_reset_and_only_that(page, services, until) -> None:
    row = page.rows["idle_lock"]
    assert not row.back.isVisible()
    pick(row, "1")
    await until(row.back.isVisible)
    assert services.settings.get(IDLE_LOCK) == "1"
    row.back.click()
    await until(lambda: not row.back.isVisible())
    assert services.settings.get(IDLE_LOCK) == "15"
    assert row.field.currentData() == "15"


async def test_a_place_is_chosen_by_its_name(page, services, until) -> None:
    row = page.rows["region"]
    assert row.field.currentText() == "Not said"
    row.field.setCurrentIndex(row.field.findText("Germany"))
    row.field.activated.emit(row.field.currentIndex())
    await until(lambda: services.settings.get(REGION) == "DE")


async def test_a_folder_is_picked_not_only_typed(page, services, until, monkeypatch, tmp_path) -> None:
    async def choose(parent, title):
        return tmp_path

    monkeypatch.setattr("ui.pages.settings.choose_folder", choose)
    page.rows["watch_folder"].browse.emit()
    await until(lambda: services.settings.get(WATCH_FOLDER) == str(tmp_path))
    assert page.rows["watch_folder"].field.text() == str(tmp_path)


async def test_the_search_shows_what_fits_and_says_when_nothing_does(page) -> None:
    page._search.setText("dark")
    assert [key for key, row in page.rows.items() if row.isVisible()] == ["theme"]
    assert not page.keys.isVisible()
    page._search.setText("recovery")
    assert page.keys.isVisible()
    assert not any(row.isVisible() for row in page.rows.values())
    page._search.setText("no such thing")
    assert "No setting fits these words." in texts(page)
    page._search.setText("locking")
    assert page.rows["idle_lock"].isVisible()
    assert page.rows["lock_away"].isVisible()
    page._search.clear()
    assert all(row.isVisible() for row in page.rows.values())


async def test_a_setting_that_cannot_be_kept_is_said_and_shown_as_it_is(page, window, services, until, monkeypatch) -> None:
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.settings.replace_file", full)
    page.rows["lock_away"].field.click()
    await until(lambda: "No space left on device" in texts(window.banners))


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(SettingsError, match="There is no setting called “colour”"):
        named("colour")


def test_choices_and_their_words_go_together() -> None:
    for setting in ALL:
        assert len(setting.words) in (0, len(setting.choices)), setting.key


# -- diagnostics ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def diagnostics(window, services, until, fake, monkeypatch):
    services.glasses.put(fake.view())

    async def found(given):
        return [*await doctor._glasses(given), Finding("courier", "runs", True), Finding("keyring", "none that can be trusted", False)]

    monkeypatch.setattr("ui.pages.diagnostics.of_services", found)
    window.teller.recent.append("A capture arrived damaged.")
    window.go("settings")
    window.settings.diagnostics_asked.emit()
    await until(lambda: not window.tasks.running("report") and window.diagnostics.text.toPlainText())
    return window.diagnostics


async def test_the_report_is_read_before_it_is_saved(diagnostics, window, until, tmp_path, monkeypatch) -> None:
    assert "1 thing is not as it could be." in texts(diagnostics)
    said = diagnostics.text.toPlainText()
    assert "NO  keyring" in said
    assert "A capture arrived damaged." in said
    assert "the link is up (omi-glass, simulated, id " in said
    assert "AA:BB" not in said
    assert "Omi Glass" not in said, "names are the wearer's"
    assert str(tmp_path) not in said

    async def choose(parent, title, name):
        return tmp_path / name

    monkeypatch.setattr("ui.pages.diagnostics.choose_save", choose)
    diagnostics.save.click()
    await until(lambda: "The report was saved as eyelid-report.txt." in texts(window.banners))
    assert (tmp_path / "eyelid-report.txt").read_text("utf-8") == said


async def test_diagnostics_forget_when_the_vault_locks(diagnostics, window, until) -> None:
    window.lock()
    assert diagnostics.text.toPlainText() == ""
    assert not diagnostics._report.isVisible()


async def test_the_same_glasses_have_another_id_in_each_report(fake, services) -> None:
    services.glasses.views = {"AA:BB:CC:DD:EE:01": fake.view()}
    one, other = [(await doctor._glasses(services))[0].text for _ in range(2)]
    assert one != other
    assert report((), ("It broke.",)).splitlines()[-1].split() == ["trouble", "It", "broke."]
