"""A model hub on loopback that speaks as much of the Hugging Face protocol as huggingface_hub needs to fetch."""

import hashlib
import json
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GATED, MISSING = "acme/gated", "acme/missing"


class FakeHub:
    """Serves folders as repositories, at one commit each."""

    def __init__(self, repositories: dict[str, Path]) -> None:
        self._repositories = repositories
        self.asked: list[str] = []  # paths, for tests that care what was fetched
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self.server = TestServer(app)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path.strip("/").removeprefix("api/models/")
        self.asked.append(request.path)
        owner, name, *rest = path.split("/")
        repository = f"{owner}/{name}"
        if repository == GATED:
            return web.Response(status=403, headers={"X-Error-Code": "GatedRepo"}, text="gated")
        if repository not in self._repositories:
            return web.Response(status=401, headers={"X-Error-Code": "RepoNotFound"}, text="not found")
        folder = self._repositories[repository]
        if rest[:1] == ["tree"]:
            return web.json_response(self._tree(folder))
        if request.path.startswith("/api/"):
            return web.json_response(self._listing(repository, folder))
        return self._file(folder / "/".join(rest[2:]))  # resolve/<commit>/<file>

    def _listing(self, repository: str, folder: Path) -> dict[str, object]:
        files = [{"rfilename": name, "size": path.stat().st_size} for name, path in _files(folder)]
        return {
            "id": repository, "modelId": repository, "sha": COMMIT, "private": False, "gated": False, "tags": [],
            "siblings": files, "cardData": {"license": "apache-2.0"}, "downloads": 1, "likes": 0,
        }  # fmt: skip

    @staticmethod
    def _tree(folder: Path) -> list[dict[str, object]]:
        return [
            {"type": "file", "path": name, "size": path.stat().st_size, "oid": "0" * 40}
            for name, path in _files(folder)
        ]

    @staticmethod
    def _file(path: Path) -> web.StreamResponse:
        if not path.is_file():
            return web.Response(status=404, headers={"X-Error-Code": "EntryNotFound"})
        content = path.read_bytes()
        headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
        return web.Response(body=content, headers=headers)


def _files(folder: Path) -> list[tuple[str, Path]]:
    """Return the files of a repository by their names in it."""
    return [(path.relative_to(folder).as_posix(), path) for path in sorted(folder.rglob("*")) if path.is_file()]


def repository(folder: Path, files: dict[str, object]) -> Path:
    """Make a small repository of JSON files and raw bytes."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return folder
