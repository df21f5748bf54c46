"""Whatever is wrong with an upload itself: it is refused in words, and no byte of it stays."""

import asyncio
import base64
import gzip
import hashlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientError

from agent.settings import AgentSettings
from tests.agent.running_agent import ROWS, Agent, run_agent

EDGE = b"--edge\r\n"
PURPOSE = b'Content-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
FORM = "multipart/form-data; boundary=edge"


def file_part(content: bytes = ROWS, *, name: str = "a.jsonl", more: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n{more}\r\n'.encode()
    return EDGE + head + content + b"\r\n"


def field(name: str, value: str) -> bytes:
    return EDGE + f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def closed(*parts: bytes) -> bytes:
    return b"".join(parts) + EDGE + PURPOSE + b"--edge--\r\n"


INNER = b'--in\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--in--\r\n'
NESTED = (
    EDGE + b'Content-Disposition: form-data; name="f"\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n' + INNER
)
MALFORMED = {  # row 31
    "ten-thousand-parts": closed(field("purpose", "fine-tune") * 10_000),
    "ten-thousand-headers": closed(EDGE + b"X-Y: z\r\n" * 10_000 + b"\r\nx\r\n"),
    "multipart-in-multipart": closed(NESTED),
    "part-without-a-name": closed(EDGE + b"\r\nx\r\n"),
    "no-edge-at-all": b"toast" * 1000,
    "header-without-end": EDGE + b"Content-Disposition: form-data; name=" + b"a" * 100_000,
    "file-without-end": file_part()[:-40],
    "name-with-a-nul": closed(file_part(name="a\x00b.jsonl")),
}


async def post(agent: Agent, body: bytes, **headers: str) -> tuple[int, dict[str, str]]:
    async with agent.http.post("/v1/files", data=body, headers={"Content-Type": FORM, **headers}) as response:
        answer = json.loads(await response.text())
        return response.status, answer.get("error", answer)


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_form_is_refused_and_leaves_nothing(settings: AgentSettings, body: bytes) -> None:
    async with run_agent(settings, works=False) as agent:
        status, error = await post(agent, body)
        assert (status, error["code"]) == (400, "invalid_request"), error
        async with agent.http.get("/healthz") as response:
            assert response.status == 200
    assert list(settings.files_dir.iterdir()) == []


async def test_what_is_packed_for_the_way_is_bounded_by_what_comes_out(settings: AgentSettings) -> None:
    bomb = gzip.compress(closed(file_part(bytes(8 << 20))))
    async with run_agent(settings, works=False) as agent:
        status, error = await post(agent, bomb, **{"Content-Encoding": "gzip"})
        assert (status, error["code"]) == (413, "file_too_large"), error
    assert list(settings.files_dir.iterdir()) == []


async def test_a_part_that_says_it_is_packed_is_kept_as_it_came(settings: AgentSettings) -> None:
    packed, coded = gzip.compress(ROWS), base64.b64encode(ROWS)
    async with run_agent(settings, works=False) as agent:
        for content, header in (
            (packed, "Content-Encoding: gzip\r\n"),
            (coded, "Content-Transfer-Encoding: base64\r\n"),
        ):
            status, stored = await post(agent, closed(file_part(content, more=header)))
            assert (status, stored["sha256"]) == (200, hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a" * 300 + ".jsonl", "a" * 114 + ".jsonl"),
        ("．．／etc", "．．／etc"),
        ("a\u202egnp.exe", "agnp.exe"),
        (r"..\..\x", "x"),
        ("../../x", "x"),
    ],
)
async def test_a_name_decides_nothing(settings: AgentSettings, name: str, shown: str) -> None:
    async with run_agent(settings, works=False) as agent:
        status, stored = await post(agent, closed(file_part(name=name.replace("\\", "\\\\"))))
        assert (status, stored["filename"]) == (200, shown)
        assert [path.name for path in settings.files_dir.iterdir()] == [stored["id"]]


async def test_an_upload_that_is_cut_off_leaves_nothing(settings: AgentSettings) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield file_part()[:-40]
        raise ConnectionResetError

    async with run_agent(settings, works=False) as agent:
        with pytest.raises(ClientError):
            await agent.http.post("/v1/files", data=half(), headers={"Content-Type": FORM})
        async with asyncio.timeout(10):
            while list(settings.files_dir.iterdir()):
                async with agent.http.get("/healthz") as response:
                    assert response.status == 200
        async with agent.http.get("/v1/files") as response:
            assert (await response.json())["data"] == []


async def test_bytes_that_are_not_those_declared_are_refused(settings: AgentSettings) -> None:
    flipped = bytes([ROWS[0] ^ 1]) + ROWS[1:]
    declared = field("sha256", hashlib.sha256(ROWS).hexdigest())
    async with run_agent(settings, works=False) as agent:
        status, error = await post(agent, closed(file_part(flipped), declared))
        assert (status, error["code"], error["param"]) == (400, "invalid_request", "sha256")
        assert "arrived damaged" in error["message"]
        assert list(settings.files_dir.iterdir()) == []
        assert (await post(agent, closed(declared, file_part())))[0] == 200


@pytest.mark.process
def test_without_assertions_a_malformed_form_is_refused_as_well(tmp_path: Path) -> None:
    """Row 32: python -O leaves out each assert, and some were what refused (CVE-2025-69227)."""
    done = subprocess.run(
        [sys.executable, "-O", "-m", "tests.bad_inputs.test_bad_uploads", str(tmp_path / "data")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["400"] * len(MALFORMED) + ["optimized"], done.stderr


async def _play(folder: Path) -> None:
    settings = AgentSettings.model_validate({"hearth_data_dir": folder, "hearth_file_limit_mib": 1})
    for made in (folder, settings.files_dir, settings.jobs_dir):
        made.mkdir()
    async with run_agent(settings, works=False) as agent:
        for body in MALFORMED.values():
            print((await post(agent, body))[0])
    print("optimized" if not __debug__ else "not optimized")


if __name__ == "__main__":
    asyncio.run(_play(Path(sys.argv[1])))
