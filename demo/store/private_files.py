"""Folders and files that only the user who runs the app can read, and temporary folders, of which those of ended
processes are deleted.

Called by `files`, `picture_folder`, the database and `app.py`; knows nothing of what a file holds.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path

PRIVATE = 0o077  # permissions of others, none of which are given
_SCRATCH = re.compile(r"minigpt5-[a-z]+-(\d+)-\w+")
_PART = re.compile(r"\w+\.(\d+)\.part")
_made: set[str] = set()


def make_private(folder: Path) -> None:
    """Make the folder, or take what others may do with it and with what is in it from them."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (folder, *folder.iterdir()):
        close_to_others(path)


def close_to_others(path: Path) -> None:
    """Nobody else may read or write the file or folder, as far as that is this process's to say."""
    try:
        mode = path.stat().st_mode
        if mode & PRIVATE and not path.is_symlink():
            path.chmod(mode & 0o7700)
    except OSError:
        pass  # another user's, as a mounted volume is


def write_private(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: under its name there is never half of it."""
    partial = path.parent / f"{path.stem}.{os.getpid()}.part"
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def make_scratch(kind: str) -> Path:
    """A new temporary folder of this process, whose id is in its name; those of ended processes are deleted."""
    sweep_scratch()
    folder = Path(tempfile.mkdtemp(prefix=f"minigpt5-{kind}-{os.getpid()}-"))
    _made.add(folder.name)
    return folder.resolve()


def drop_scratch() -> None:
    """Delete the temporary folders of this process."""
    for name in tuple(_made):
        shutil.rmtree(Path(tempfile.gettempdir()) / name, ignore_errors=True)


def sweep_scratch() -> None:
    """Delete the temporary folders of this user's processes that have ended."""
    for folder in Path(tempfile.gettempdir()).glob("minigpt5-*"):
        found = _SCRATCH.fullmatch(folder.name)
        if found and folder.name not in _made and not _lives(int(found[1])) and _mine(folder):
            shutil.rmtree(folder, ignore_errors=True)


def sweep_parts(folder: Path) -> None:
    """Delete the half-written files of processes that have ended."""
    for path in folder.glob("*.part"):
        found = _PART.fullmatch(path.name)
        if found is None or not _lives(int(found[1])):
            path.unlink(missing_ok=True)


def _mine(folder: Path) -> bool:
    try:
        stat = folder.lstat()
    except OSError:
        return False
    return not folder.is_symlink() and (not hasattr(os, "getuid") or stat.st_uid == os.getuid())


def _lives(process: int) -> bool:
    """Whether another process has that number: in a container a new one often has that of the one before."""
    if process == os.getpid() or os.name != "posix":
        return process != os.getpid()
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True
