"""A program of its own for a test: it imports a list through the pages while no file may grow beyond a size.

python -m tests.web.small_disk FOLDER DATABASE_URL LIST_ID LIMIT_BYTES; says what the list's page shows afterwards.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from tests.web.list_ground import open_again
from tests.web.site import send, text_of


def main() -> None:
    """Sign in, take the room away, import, show."""
    folder, url, list_id, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    site = open_again(folder, url)
    client = site.client("supervisor")
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    answer = send(client, f"/lists/{list_id}/import", page=f"/lists/{list_id}")
    site.app.extensions["imports"].wait(list_id)
    sys.stdout.write(f"{answer.status_code} {text_of(client.get(f'/lists/{list_id}'))}")


if __name__ == "__main__":
    main()
