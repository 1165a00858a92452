"""Who uses the embedded servers of one directory, kept by the kernel and not by lists of ours.

Every user holds a shared lock on one file for as long as it lives. The kernel gives it back when
a process ends, however it ends, so nobody is ever counted who was killed. Whoever can turn the
shared lock into an exclusive one is the last. A second lock file makes joining and leaving one
step; both files are gone when nobody is left.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold `lock` exclusively; waits for whoever holds it."""
    handle = _open_locked(lock)
    try:
        yield
    finally:
        os.close(handle)


def _open_locked(lock: Path) -> int:
    while True:
        handle = _open(lock)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if is_still(handle, lock):
            return handle
        os.close(handle)  # its last holder removed it while we waited: lock the one that is there now


def join(roll: Path) -> int:
    """Sign the roll; returns the handle to leave with."""
    handle = _open(roll)
    fcntl.flock(handle, fcntl.LOCK_SH)
    return handle


def is_only(handle: int) -> bool:
    """Say whether nobody else is signed on the roll; whoever asks stays signed. Ask while `alone`."""
    only = is_last(handle)
    fcntl.flock(handle, fcntl.LOCK_SH)
    return only


def is_last(handle: int) -> bool:
    """Say whether nobody else is signed on the roll; whoever asks is no longer signed if somebody is."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_still(handle: int, path: Path) -> bool:
    """Say whether `path` is the file that `handle` was opened on, and not a later one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
