"""The Lua of simulated Frame and Halo: no interpreter, but one that knows by sight the statements and programs that Eyelid, brilliant-ble
and brilliant-msg send, and answers them as the firmware does. Anything else is a syntax error.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Protocol

from ble.drivers import brilliant_lua as lua
from ble.sim.brilliant_camera import Camera, LuaFault
from ble.sim.brilliant_faults import BrilliantFaults, Main

MAIN = "main.lua"
LOOPING_MAIN = "while true do frame.sleep(1) end\n"

_OPEN = re.compile(r"f=frame\.file\.open\('([\w./]+)','(?:w|write)'\)")
_WRITE = re.compile(r'f:write\("((?:[^"\\\n]|\\.)*)"\)', re.DOTALL)
_REMOVE = re.compile(r"pcall\(frame\.file\.remove,'([\w./]+)'\)")
_REQUIRE = re.compile(r"require\('([\w.]+)'\)")
_RETURNS = re.compile(r"return '(\w*)'\n?")
_FALLBACK_PHOTO = re.compile(r"eyp\((\d+)\)frame\.camera\.power_save\(true\)")
_LABELLED = re.compile(r"('[^']*')\.\.tostring\((.*)\)")
_SHOWN_TEXT = re.compile(
    r"frame\.display\.clear\(\);frame\.display\.text\('(?:[^'\\]|\\.)*',50,50\)"
    r"|frame\.display\.text\('(?:[^'\\]|\\.)*',1,1\);frame\.display\.show\(\)"
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}


class Programs(Protocol):
    """The programs that a file may turn out to hold; each runs until it ends or is cancelled, and may raise LuaFault."""

    async def own_app(self) -> None: ...

    async def stock_app(self) -> None: ...

    async def stock_photo(self, width: int) -> None: ...

    async def loop_for_ever(self) -> None: ...


class LuaMachine:
    """Owns files and globals. `run` carries out one statement; the values of names come from `values`."""

    def __init__(
        self, faults: BrilliantFaults, camera: Camera, values: Callable[[], dict[str, str]], print_: Callable[[str], Awaitable[None]]
    ) -> None:
        self.files: dict[str, str] = {} if faults.main is Main.NONE else {MAIN: LOOPING_MAIN}
        self.writes = 0
        self.on_write: Callable[[int], Awaitable[None]] | None = None
        self.programs: Programs | None = None
        self._faults = faults
        self._camera = camera
        self._values = values
        self._print = print_
        self._open: str | None = None
        self._before = ""
        self._defined: set[str] = set()
        self._starts = 0

    def restart(self) -> None:
        """A fresh virtual machine; the files stay."""
        self._open = None
        self._defined.clear()
        self._camera.restart()

    async def run(self, statement: str) -> None:
        """Carry out `statement`. Raises LuaFault with the text the firmware would print."""
        try:
            at = statement.rfind("print(")
            if at < 0 or not statement.endswith(")"):
                await self._body(statement)
                return
            await self._body(statement[:at].rstrip("; "))
            await self._print(await self._value(statement[at + 6 : -1]))
        except LuaFault as fault:
            text = str(fault)
            # luaL_where, and its way of naming a chunk of source by its beginning.
            raise LuaFault(text if "]:" in text or ".lua:" in text else f'[string "{statement[:40]}..."]:1: {text}') from None

    async def _body(self, statement: str) -> None:
        if not statement or _SHOWN_TEXT.fullmatch(statement):
            return
        if statement == "f:close()":
            self._close()
        elif statement in lua.FALLBACK:
            self._defined.add(statement)
        elif match := _OPEN.fullmatch(statement):
            self._open_file(match[1])
        elif match := _WRITE.fullmatch(statement):
            await self._write(match[1])
        elif match := _REMOVE.fullmatch(statement):
            self.files.pop(match[1], None)
        elif match := _REQUIRE.fullmatch(statement):
            await self._require(match[1])
        elif (match := _FALLBACK_PHOTO.fullmatch(statement)) and self._defined.issuperset(lua.FALLBACK):
            await self._program().stock_photo(int(match[1]))
            self._camera.power_save(True)
        else:
            raise LuaFault(f"syntax error near '{statement[:12]}'")

    async def _value(self, expression: str) -> str:
        if match := _LABELLED.fullmatch(expression):
            return match[1][1:-1] + await self._value(match[2])
        if match := re.fullmatch(r"'([^']*)'|\"([^\"]*)\"", expression):
            return match[1] or match[2] or ""
        if expression == "nil" or re.fullmatch(r"-?\d+(?:\.\d+)?", expression):
            return expression
        if match := _REQUIRE.fullmatch(expression):
            return await self._require(match[1])
        if expression in (values := self._values()):
            return values[expression]
        if re.fullmatch(r"frame(\.\w+)+", expression):
            return "nil"
        raise LuaFault(f"attempt to call a nil value ('{expression[:12]}')")

    # -- files ----------------------------------------------------------------------------------------------------------------------

    def _open_file(self, name: str) -> None:
        if self._faults.storage_full:
            raise LuaFault(f"cannot open file: {name}")
        self._open = name
        self._before = self.files.get(name, "") if self._faults.opens_without_emptying else ""
        self.files[name] = ""

    def _close(self) -> None:
        if self._open is not None:
            written = self.files[self._open]
            self.files[self._open] = written + self._before[len(written) :]
        self._open = None

    async def _write(self, literal: str) -> None:
        if self._open is None:
            raise LuaFault("attempt to use a closed file")
        self.writes += 1
        if self.on_write is not None:
            await self.on_write(self.writes)
        if self.writes == self._faults.write_error_at:
            raise LuaFault("error writing file")
        self.files[self._open] += re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), literal, flags=re.DOTALL)

    async def _require(self, module: str) -> str:
        content = self.files.get(f"{module}.lua")
        if content is None:
            raise LuaFault(f"cannot open file: {module}.lua")
        if match := _RETURNS.fullmatch(content):
            return match[1]
        if content == lua.APP:
            self._starts += 1
            if self._starts <= self._faults.app_fails:
                raise LuaFault("not enough memory")
            await self._program().own_app()
        elif self._is_stock_app(content):
            await self._program().stock_app()
        elif content == LOOPING_MAIN:
            await self._program().loop_for_ever()
        elif content:
            raise LuaFault(f"{module}.lua:1: syntax error near <eof>")
        return "true"

    def _is_stock_app(self, content: str) -> bool:
        """An app made of brilliant-msg's `data` and `camera` modules, which must be there too, like its example `camera_frame_app.lua`."""
        return "camera.capture_and_send" in content and {"data.min.lua", "camera.min.lua"} <= self.files.keys()

    def _program(self) -> Programs:
        assert self.programs is not None
        return self.programs
