"""Take the pictures of README and manual on a running system: ``nox -s pictures``; with names, only these."""

import asyncio
import os
import sys
import time
from datetime import UTC, datetime

from tests.pictures.listed import FOLDER, PICTURES
from tests.pictures.place import open_place, timezone_at_ten


async def _take(names: list[str]) -> None:
    with open_place() as place:
        for name in names:
            picture = await PICTURES[name]()(place)
            (FOLDER / name).write_bytes(picture)
            print(f"{name}: {len(picture) / 1000:.0f} kB")


if __name__ == "__main__":
    os.environ["TZ"] = timezone_at_ten(datetime.now(UTC))
    time.tzset()
    asyncio.run(_take(sys.argv[1:] or list(PICTURES)))
