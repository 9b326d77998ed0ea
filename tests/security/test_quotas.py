"""Remote codes, uploads and sessions: what one address tries or sends takes nothing from others."""

import os
import time
from pathlib import Path

import pytest

from demo.guard.quota import COUNT_SECONDS, HOUR, MAX_IN_ALL, MAX_OF_ADDRESS, MB, QuotaError, UploadQuota
from demo.story.remote import MAX_ADDRESSES, MAX_WRONG, TOO_MANY, Remotes
from demo.story.writing.premise import StoryError


def test_wrong_codes_lock_out_only_the_address_that_tried_them() -> None:
    remotes = Remotes()
    code = remotes.open("owner", "story")
    for _ in range(MAX_WRONG):
        with pytest.raises(StoryError, match="no stage with this code"):
            remotes.find("AAAAAA", "192.0.2.66")
    with pytest.raises(StoryError, match=TOO_MANY):
        remotes.find(code, "192.0.2.66")
    assert remotes.find(code, "192.0.2.1").story == "story"


def test_the_addresses_of_wrong_codes_are_remembered_within_a_bound() -> None:
    remotes = Remotes()
    for number in range(MAX_ADDRESSES + 50):
        with pytest.raises(StoryError):
            remotes.find("AAAAAA", f"address {number}")
    assert len(remotes._wrong) == MAX_ADDRESSES


def upload(size: int, host: str = "192.0.2.66") -> dict[str, object]:
    headers = [(b"content-length", str(size).encode())]
    return {
        "type": "http",
        "method": "POST",
        "path": "/gradio_api/upload",
        "client": (host, 1),
        "headers": headers,
    }


def test_an_address_may_upload_so_much_within_an_hour(tmp_path: Path) -> None:
    now = [1000.0]
    quota = UploadQuota(lambda: str(tmp_path), lambda: now[0])
    quota.verify(upload(MAX_OF_ADDRESS - MB))
    with pytest.raises(QuotaError, match="256 MB within an hour"):
        quota.verify(upload(2 * MB))
    quota.verify(upload(2 * MB, "192.0.2.1"))
    now[0] += HOUR
    quota.verify(upload(2 * MB))


def test_uploads_of_all_have_so_much_room_and_old_ones_make_room(tmp_path: Path) -> None:
    old = tmp_path / "old.png"
    with old.open("wb") as file:
        file.truncate(MAX_IN_ALL)  # a sparse file
    now = [time.time()]
    quota = UploadQuota(lambda: str(tmp_path), lambda: now[0])
    with pytest.raises(QuotaError, match="room for uploads is used up"):
        quota.verify(upload(MB))
    os.utime(old, (0, 0))
    now[0] += COUNT_SECONDS
    quota.verify(upload(MB))
    assert not old.exists()


def test_an_upload_without_its_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QuotaError, match="Content-Length"):
        UploadQuota(lambda: str(tmp_path)).verify({**upload(1), "headers": []})
