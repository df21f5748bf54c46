"""Draw every card: `python -m tests.screens [FOLDER] [NAME …]`."""

import asyncio
import shutil
import sys
from pathlib import Path

from tests.screens.stories import tell

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "`make screens` draws with Chromium, and there is none here. On Debian and Ubuntu: sudo apt install chromium\n"
)


def main() -> int:
    """Draw into a folder; say what to install where that cannot be done."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.stderr.write(MISSING)
        return 2
    name, *wanted = sys.argv[1:] or ["screens"]
    folder = Path(name)
    folder.mkdir(parents=True, exist_ok=True)
    count = asyncio.run(_draw(folder, set(wanted), browser))
    sys.stdout.write(f"{count} cards are drawn in {folder.absolute()}.\n")
    return 0


async def _draw(folder: Path, wanted: set[str], browser: str) -> int:
    from tests.screens.drawing import draw

    cards = {name: card async for name, card in tell() if not wanted or name in wanted}
    await draw(cards, folder, browser)
    return len(cards)


if __name__ == "__main__":
    sys.exit(main())
