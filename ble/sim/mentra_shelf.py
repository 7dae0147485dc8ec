"""The gallery of simulated Mentra Live glasses, and how its web server answers: the older listing and version 3 with digests and a trash.

Follows `asg_client/docs/features/camera-web-server.md` and pull request 3475 of Mentra-Community/MentraOS. No network here: requests in,
answers out.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ble.sim.loopback_http import Asked, Reply
from ble.sim.mentra_faults import MentraFaults

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True, slots=True)
class Shot:
    """One capture in its folder. `request_id`: who asked for it, if anybody did."""

    id: str
    at: datetime
    files: dict[str, bytes]
    request_id: str = ""


class SimulatedShelf:
    """What the glasses hold. `asked` remembers the last requests, `trashed` what was let go of."""

    def __init__(self, faults: MentraFaults, tell: Callable[[str], None]) -> None:
        self._faults = faults
        self._tell = tell
        self._shots: dict[str, Shot] = {}
        self._requests = 0
        self._files_served = 0
        self._errors_left = faults.server_error
        self.asked: list[Asked] = []
        self.trashed: dict[str, Shot] = {}

    @property
    def shots(self) -> tuple[Shot, ...]:
        """Newest first."""
        return tuple(sorted(self._shots.values(), key=lambda shot: shot.at, reverse=True))

    def add(self, data: bytes, at: datetime, *, video: bool = False, request_id: str = "") -> Shot:
        """A new capture, in a folder named as the glasses name it, with the sidecar they write."""
        stamp = f"{at.astimezone():%Y%m%d_%H%M%S}_{len(self._shots) + len(self.trashed):03d}"
        name = f"{'VID' if video else 'IMG'}_{stamp}_a1b2" + (f"_{request_id}" if request_id else "")
        files = {"base.mp4" if video else "base.jpg": data, "imu.json": b'{"samples":[]}'}
        shot = Shot(name, at, files, request_id)
        self._shots[name] = shot
        return shot

    def add_bracket(self, shot: Shot, data: bytes) -> None:
        """Another exposure of a capture."""
        self._shots[shot.id] = replace(shot, files={**shot.files, "ev-2.jpg": data})

    # -- answers --------------------------------------------------------------------------------------------------------------------

    def respond(self, request: Asked) -> Reply:
        """The answer of the web server."""
        self.asked.append(request)
        self._requests += 1
        after = self._faults.too_many_after
        if after is not None and after < self._requests <= after + 3:
            return Reply(429, b"Too many requests", (("Content-Type", "text/plain"),))
        if self._faults.redirect_to and request.path != "/api/health":
            return Reply(302, b"", (("Location", self._faults.redirect_to),))
        routes: dict[tuple[str, str], Callable[[Asked], Reply]] = {
            ("GET", "/api/health"): lambda _: _answer({"status": "healthy", "timestamp": 0}, bare=True),
            ("GET", "/api/gallery"): self._gallery,
            ("GET", "/api/download"): self._old_download,
        }
        if not self._faults.old_build:
            routes |= {
                ("GET", "/api/v3/capabilities"): lambda _: _answer({"api_version": 3, "ranges": True, "trash": True}),
                ("GET", "/api/v3/manifest"): self._manifest,
                ("GET", "/api/v3/download"): self._download,
                ("GET", "/api/v3/hash"): self._hash,
                ("POST", "/api/v3/ack"): self._acknowledge,
                ("POST", "/api/v3/restore"): self._restore,
            }
        route = routes.get((request.method, request.path))
        return route(request) if route is not None else _error(404, "no such thing")

    def _manifest(self, request: Asked) -> Reply:
        if self._faults.hostile_list:
            return Reply(200, self._faults.hostile_list)
        shots, limit = self.shots, min(int(request.query.get("limit", "50")), 100)
        if self._faults.slow_list and limit > 20:
            return _error(408, "too slow")
        cursor = request.query.get("cursor", "")
        start = next((index + 1 for index, shot in enumerate(shots) if _cursor(shot) == cursor), 0)
        page = shots[start : start + limit]
        more = start + limit < len(shots) or self._faults.circular_list
        listed = [self._listed(shot) for shot in page]
        data: dict[str, Any] = {"api_version": 3, "captures": listed, "total_count": len(shots), "has_more": more}
        if more:
            data["next_cursor"] = _cursor(page[-1]) if page and not self._faults.circular_list else "round:and:round"
        return _answer(data)

    def _listed(self, shot: Shot) -> dict[str, Any]:
        names = [*shot.files, *self._faults.bad_names]
        return {
            "capture_id": shot.id,
            "type": "video" if shot.id.startswith("VID") else "photo",
            "timestamp": int(shot.at.timestamp() * 1000),
            "total_size": sum(map(len, shot.files.values())),
            "files": [self._file(shot, name) for name in names],
            "cursor": _cursor(shot),
            **({"request_id": shot.request_id} if shot.request_id else {}),
        }

    def _file(self, shot: Shot, name: str) -> dict[str, Any]:
        data = shot.files.get(name, b"?" * 10)
        path = f"{shot.id}/{name}"
        role = "primary" if name.startswith("base.") else "sidecar" if name.endswith(".json") else "bracket"
        return {
            "name": path,
            "size": len(data),
            "modified": f"{shot.at:%Y-%m-%d %H:%M:%S}",
            "mime_type": "video/mp4" if name.endswith(".mp4") else "image/jpeg",
            "role": role,
            "etag": _etag(data),
            "download_url": f"/api/v3/download?file={path}",
            "hash_url": f"/api/v3/hash?file={path}",
        }

    def _found(self, request: Asked) -> bytes | None:
        folder, _, name = request.query.get("file", "").partition("/")
        shot = self._shots.get(folder)
        return shot.files.get(name or "base.jpg") if shot is not None else None

    def _download(self, request: Asked) -> Reply:
        data = self._found(request)
        refusal = self._refusal(data)
        if data is None or refusal is not None:
            return refusal or _error(404, "no such file")
        self._files_served += 1
        if self._faults.endless_file:
            return Reply(200, b"\xff" * 65536, endless=True)
        if self._faults.changes_file and self._files_served > 1:
            data = data[::-1]
        headers: tuple[tuple[str, str], ...] = (("ETag", _etag(data)), ("Accept-Ranges", "bytes"), ("Content-Type", "image/jpeg"))
        wanted = _RANGE.fullmatch(request.headers.get("range", ""))
        if wanted is None or self._faults.without_range or request.headers.get("if-range", _etag(data)) != _etag(data):
            return Reply(200, data, headers, cut=self._cut())
        start, end = int(wanted[1]), min(int(wanted[2] or len(data) - 1), len(data) - 1)
        if start >= len(data):
            return Reply(416, b"", (("Content-Range", f"bytes */{len(data)}"),))
        return Reply(206, data[start : end + 1], (*headers, ("Content-Range", f"bytes {start}-{end}/{len(data)}")), cut=self._cut())

    def _old_download(self, request: Asked) -> Reply:
        """Sent in chunks and without a length: when it is cut short it looks whole."""
        data = self._found(request)
        refusal = self._refusal(data)
        if data is None or refusal is not None:
            return refusal or _error(404, "no such file")
        self._files_served += 1
        return Reply(200, data, (("Content-Type", "image/jpeg"),), stated=None, cut=self._cut())

    def _refusal(self, data: bytes | None) -> Reply | None:
        if self._errors_left > 0:
            self._errors_left -= 1
            return _error(500, "out of order")
        if data is not None and self._faults.recording:
            return _error(403 if self._faults.old_build else 409, "being recorded")
        return None

    def _cut(self) -> int | None:
        spared = self._faults.cuts is not None and self._files_served > self._faults.cuts
        return None if spared else self._faults.cut_after

    def _hash(self, request: Asked) -> Reply:
        data = self._found(request)
        refusal = self._refusal(data)
        if data is None or refusal is not None:
            return refusal or _error(404, "no such file")
        digest = hashlib.sha256(data + b"!" if self._faults.wrong_hash else data).hexdigest()
        return _answer({"file": request.query["file"], "size": len(data), "etag": _etag(data), "sha256": digest})

    def _acknowledge(self, request: Asked) -> Reply:
        told = json.loads(request.body)
        capture, already = told["capture_id"], told["capture_id"] in self.trashed
        shot = self._shots.pop(capture, None)
        if shot is None and not already:
            return _error(404, "no such capture")
        if shot is not None:
            self.trashed[capture] = shot
            self._tell(f"{capture} is in the trash")
        gone = self.trashed[capture].files
        return _answer({"success": True, "already_trashed": already, "recoverable": True, "file_count": len(gone)})

    def _restore(self, request: Asked) -> Reply:
        shot = self.trashed.pop(json.loads(request.body)["capture_id"], None)
        if shot is None:
            return _error(404, "not in the trash")
        self._shots[shot.id] = shot
        return _answer({"success": True})

    def _gallery(self, request: Asked) -> Reply:
        if self._faults.hostile_list:
            return Reply(200, self._faults.hostile_list)
        limit, offset = min(int(request.query.get("limit", "50")), 100), int(request.query.get("offset", "0"))
        if self._faults.slow_list and limit > 20:
            return _error(408, "too slow")
        page = self.shots[offset : offset + limit]
        photos = [self._old_file(shot, name) for shot in page for name in [*shot.files, *self._faults.bad_names] if name != "imu.json"]
        more = offset + limit < len(self._shots)
        return _answer({"photos": photos, "total_count": len(self._shots), "offset": offset, "limit": limit, "has_more": more})

    def _old_file(self, shot: Shot, name: str) -> dict[str, Any]:
        path = f"{shot.id}/{name}"
        return {
            "name": path,
            "size": len(shot.files.get(name, b"?" * 10)),
            "modified": f"{shot.at:%Y-%m-%d %H:%M:%S}",
            "mime_type": "video/mp4" if name.endswith(".mp4") else "image/jpeg",
            "url": f"/api/photo?file={path}",
            "download": f"/api/download?file={path}",
            "is_video": name.endswith(".mp4"),
            **({"request_id": shot.request_id} if shot.request_id else {}),
        }


def _cursor(shot: Shot) -> str:
    return f"{int(shot.at.timestamp() * 1000)}:{shot.id}"


def _etag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:24]}"'


def _answer(data: dict[str, Any], *, bare: bool = False) -> Reply:
    whole = data if bare else {"status": "success", "data": data}
    return Reply(200, json.dumps(whole).encode(), (("Content-Type", "application/json"), ("Access-Control-Allow-Origin", "*")))


def _error(status: int, message: str) -> Reply:
    return Reply(status, json.dumps({"status": "error", "message": message}).encode(), (("Content-Type", "application/json"),))
