"""The Lua that Eyelid puts on Frame and Halo: its camera app, a fallback of a few lines, and how files are written through the REPL.

The app lives in a file of its own and is started by hand; `main.lua`, which the glasses run by themselves, is never touched. What it adds
to the stock messages: a number for each piece, totals at the end, errors in words, an order to stop, an answer to every command. It lets
the camera sleep when no photo is due, and ends by itself when the link does.
"""

from __future__ import annotations

import hashlib
from typing import Final

# On Frame a break is a Lua error like any other and may come up inside a pcall, so each pcall here hands it on. `frame.sleep(0)` would
# send a Halo into deep sleep, so no sleep is ever 0. The receiving callback may run between any two instructions and only stores.
_SOURCE: Final = r"""
local f, c, b, pack = frame, frame.camera, frame.bluetooth, string.pack
local names = {[0] = 'VERY_LOW', 'LOW', 'MEDIUM', 'HIGH', 'VERY_HIGH'}
local inbox, last, order, stop
local awake, photo, warm, idle, every, due, told = true, 0, 0, 100, 0, 0, -60
local quality, width = 3, 640
local function broken(e)
  return e:find('break signal', 1, true) or e:find('interrupted', 1, true)
end
local function put(s)
  for _ = 1, 800 do
    local ok, e = pcall(b.send, s)
    if ok then return end
    e = tostring(e)
    if broken(e) then error(e, 0) end
    f.sleep(.0025)
  end
  error('the link is gone', 0)
end
local function state()
  put(string.char(0x24, math.max(0, math.min(100, math.floor(f.battery_level()))), every))
end
local function poll(busy)
  local d = inbox
  if not d then return end
  inbox = nil
  local code, token, a1, a2, a3, a4 = d:byte(1, 6)
  if not token then return end
  put(string.char(0x25, code, token))
  if token == last then return end
  last = token
  if code == 0x10 and a3 then order = {token, a1, (a2 << 8 | a3) * 2}
  elseif code == 0x11 and a4 then every, quality, width, due = a1, a2, (a3 << 8 | a4) * 2, 0
  elseif code == 0x14 then stop = true end
  if busy and (code == 0x14 or code == 0x12 and a2 and (a1 << 8 | a2) == photo) then error('stopped', 0) end
end
local function rest()
  if awake then c.power_save(true) end
  awake, warm = false, 0
end
local function shot(token, q, w)
  c.power_save(false)
  awake = true
  if c.auto then
    while warm < 30 do
      c.auto{}
      warm = warm + 1
      f.sleep(.1)
      poll(true)
    end
  end
  c.capture{resolution = w, quality = names[q]}
  local n = 0
  while not c.image_ready() do
    n = n + 1
    if n > 250 then error('the camera made no picture', 0) end
    f.sleep(.02)
    poll(true)
  end
  local size = math.min(b.max_length() - 3, 240)
  if size < 16 then error('the link carries too little', 0) end
  put(pack('>BI2BI2', 0x20, photo, token, w))
  local i, total = 0, 0
  while true do
    local d = c.read(size)
    if not d then break end
    if d ~= '' then
      put(pack('>BI2', 0x21, i) .. d)
      i, total = i + 1, total + #d
      poll(true)
    end
  end
  put(pack('>BI2I2I4', 0x22, photo, i, total))
end
local function take(token, q, w)
  photo = (photo + 1) & 0xffff
  local ok, e = pcall(shot, token, q, w)
  idle = 0
  if ok then return end
  e = tostring(e)
  if broken(e) then
    rest()
    error(e, 0)
  end
  pcall(put, pack('>BI2B', 0x23, photo, token) .. e:sub(-80))
end
b.receive_callback(function(d) inbox = d end)
print('eyelid @ ' .. (c.auto and 'frame' or 'halo'))
while not stop and b.is_connected() do
  poll(false)
  local now = f.time.utc()
  if due > now + every then due = now end
  if told > now or now >= told + 60 then
    told = now
    state()
  end
  if order then
    local o = order
    order = nil
    take(o[1], o[2], o[3])
  elseif every > 0 and now >= due then
    due = now + every
    take(0, quality, width)
  elseif awake and c.auto and idle < 100 then
    c.auto{}
    idle = idle + 1
    f.sleep(.1)
  else
    rest()
    f.sleep(.05)
  end
end
rest()
b.receive_callback(nil)
print('eyelid bye')
"""


def _tight(source: str) -> str:
    return "\n".join(line.strip() for line in source.strip().splitlines()) + "\n"


VERSION: Final = hashlib.sha256(_SOURCE.encode()).hexdigest()[:8]
"""Changes with every change of the app, so that glasses with another one get this one."""
APP: Final = _tight(_SOURCE).replace("@", VERSION)
MODULE: Final = "eyelid"
MARKER_MODULE: Final = "eyelid_v"
"""Holds the version of the app; written after the app and removed before it, so it never vouches for half an app."""
MARKER: Final = f"return '{VERSION}'\n"
READY: Final = f"eyelid {VERSION}"
BYE: Final = "eyelid bye"

# Where files can't be written: functions in memory only, one statement each, that send a photo as the stock messages do
# (`capture_and_send` in brilliant-msg's `lua/camera.lua`), without any of what the app adds.
FALLBACK: Final = (
    "function eyx(s)for i=1,800 do local k,e=pcall(frame.bluetooth.send,s)if k then return end "
    "if tostring(e):find('break')then error(e,0)end frame.sleep(.0025)end error('link',0)end",
    "function eyr()frame.camera.power_save(false)if frame.camera.auto then for i=1,30 do frame.camera.auto{}frame.sleep(.1)end end end",
    "function eyw()local n=0 while not frame.camera.image_ready()do n=n+1 if n>250 then "
    "error('the camera made no picture',0)end frame.sleep(.02)end end",
    "function eyd()return frame.camera.read(math.min(frame.bluetooth.max_length()-1,240))end",
    "function eyp(w)eyr()frame.camera.capture{resolution=w,quality='HIGH'}eyw()"
    "while 1 do local d=eyd()if not d then break end eyx('\\7'..d)end eyx('\\8')end",
)


def fallback_photo(width: int) -> str:
    """The statement that takes a photo by `FALLBACK`, and lets the camera sleep again."""
    return f"eyp({width})frame.camera.power_save(true)"


def escaped(text: str) -> str:
    """`text` as it stands between double quotes in Lua."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("'", "\\'").replace('"', '\\"')


def pieces(text: str, longest: int) -> list[str]:
    """`text` escaped and cut into pieces of at most `longest` bytes, never within an escape or a character. Raises ValueError below 4."""
    if longest < 4:
        raise ValueError("a piece holds any one character only from 4 bytes on")
    cut: list[str] = []
    room = 0
    for character in text:
        part = escaped(character)
        size = len(part.encode())
        if size > room:
            cut.append("")
            room = longest
        cut[-1] += part
        room -= size
    return cut
