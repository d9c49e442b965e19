"""The user's cache on disk: where it is, and files in it that are run as code.

    folder = private_folder("programs", make=True)     a path, or None
    write_sealed(folder, name, content)
    read_sealed(folder, name)  ->  content, or None if nobody but the user could not have written it

Somebody else must not choose what is run.  So nobody else may be able to write in the folder, or to put
another in its place: all folders on the way, those that links lead to as well, belong to the user or to root,
and others cannot write in them unless only owners may rename there (`/tmp`).  A file must be the user's, a
regular one, without a second name, and is never looked for behind a link.

A seal finds damage: content | hash over the name and the content.  It is at the end, so that a shared object
can be loaded as it stands.  Nothing here raises or waits: what cannot be read is not there, and what cannot
be written is left.
"""

from __future__ import annotations

import os
from stat import S_ISDIR, S_ISLNK, S_ISREG, S_ISVTX

try:  # what `hashlib` would load, in a tenth of the time
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

VARIABLE: Final = "DORA_CACHE"
"""environment variable: another folder, or `off`"""
OTHERS_WRITE: Final = 0o022
MOST_LINKS: Final = 40
MOST_ENTRIES: Final = 500
"""of a folder, beyond which the oldest are deleted"""
MOST_BYTES: Final = 256 << 20
"""of a sealed file; what is larger is neither written nor read"""
SEAL: Final = 32
NAME: Final = 20
"""bytes of the hash that a file is named by"""

READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
APPEND: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def cache_folder() -> str | None:
    """Where the cache is: `DORA_CACHE`, or `dora` in the user's folder for caches; none if there is none."""
    chosen = os.environ.get(VARIABLE)
    if chosen == "off":
        return None
    if chosen:
        return chosen
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "dora") if os.path.isabs(base) else None


def private_folder(name: str, *, make: bool = False) -> str | None:
    """A folder of the cache in which nobody else can write; None if there is none.

    With `make` all folders on the way are made that are not there, for the user alone.
    """
    folder = cache_folder()
    if folder is None:
        return None
    try:
        return followed(os.path.join(os.getcwd(), folder, name), make)
    except (OSError, ValueError):
        return None


def followed(path: str, make: bool) -> str | None:
    """The real path of a folder, if it is the user's alone.  Raises OSError."""
    real, waiting, links = "/", path.split("/")[::-1], 0
    status = os.lstat(real)
    while waiting:
        name = waiting.pop()
        if name in ("", "."):
            continue
        if not is_safe(status):
            return None
        step = os.path.dirname(real) if name == ".." else os.path.join(real, name)
        status = folder_status(step, make)
        if S_ISLNK(status.st_mode):
            links += 1
            if links > MOST_LINKS or status.st_uid not in (0, os.geteuid()):
                return None
            target = os.readlink(step)
            waiting += target.split("/")[::-1]
            step = "/" if target.startswith("/") else real
            status = os.lstat(step)
        real = step
    return real if S_ISDIR(status.st_mode) and belongs_to_user(status) else None


def folder_status(path: str, make: bool) -> os.stat_result:
    """The status of what is there, made as a folder if nothing is.  Raises OSError."""
    try:
        return os.lstat(path)
    except FileNotFoundError:
        if not make:
            raise
    try:
        os.mkdir(path, 0o700)
        return os.lstat(path)
    except FileExistsError:  # another process was faster
        return os.lstat(path)


def is_safe(status: os.stat_result) -> bool:
    """Whether what is in a folder cannot be replaced by others than its owner and root."""
    if not S_ISDIR(status.st_mode) or status.st_uid not in (0, os.geteuid()):
        return False
    return not status.st_mode & OTHERS_WRITE or bool(status.st_mode & S_ISVTX)


def belongs_to_user(status: os.stat_result) -> bool:
    """Whether nobody else can write there."""
    return status.st_uid == os.geteuid() and not status.st_mode & OTHERS_WRITE


def is_own_file(status: os.stat_result) -> bool:
    """Whether it is a file of the user, under one name, that others cannot write."""
    return S_ISREG(status.st_mode) and status.st_nlink == 1 and belongs_to_user(status)


# Sealed files.


def name_of(key: bytes) -> str:
    """The name of the file for a key."""
    return blake2b(key, digest_size=NAME).hexdigest()


def seal(name: str, content: bytes | memoryview) -> bytes:
    return blake2b(content, digest_size=SEAL, key=name.encode()).digest()


def read_sealed(folder: str, name: str) -> memoryview | None:
    """The content of a file, if it is there, the user's own, and whole."""
    data = read_own(os.path.join(folder, name))
    if data is None or len(data) < SEAL:
        return None
    content = memoryview(data)[:-SEAL]
    return content if seal(name, content) == data[-SEAL:] else None


def read_own(path: str) -> bytes | None:
    try:
        descriptor = os.open(path, READ)
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(descriptor)
        if not is_own_file(status) or status.st_size > MOST_BYTES:
            return None
        return os.read(descriptor, status.st_size)
    except (OSError, MemoryError):
        return None
    finally:
        os.close(descriptor)


def write_sealed(folder: str, name: str, content: bytes) -> bool:
    """Put a file in the place of what was there, whole or not at all; whether that was done."""
    return len(content) + SEAL <= MOST_BYTES and write_own(folder, name, content + seal(name, content))


def write_own(folder: str, name: str, data: bytes) -> bool:
    path = os.path.join(folder, name)
    temporary = f"{path}.{os.getpid()}"
    try:
        descriptor = os.open(temporary, CREATE, 0o600)
    except OSError:
        return False
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException as error:
        remove(temporary)
        if isinstance(error, OSError):
            return False
        raise
    delete_oldest(folder)
    return True


def delete_oldest(folder: str) -> None:
    """Keep the number of entries within bounds."""
    try:
        names = os.listdir(folder)
        if len(names) <= MOST_ENTRIES:
            return
        paths = [os.path.join(folder, name) for name in names]
        paths.sort(key=lambda path: os.lstat(path).st_mtime)
    except OSError:  # another process deletes, too
        return
    for path in paths[: len(paths) - MOST_ENTRIES // 2]:
        remove(path)


def remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


# Files in folders where others may write.


def append_to_own(path: str) -> int:
    """A descriptor of a file to be appended to, made at need.  Raises OSError unless it is the user's."""
    descriptor = os.open(path, APPEND, 0o600)
    if is_own_file(os.fstat(descriptor)):
        return descriptor
    os.close(descriptor)
    raise PermissionError(f"{path} is not a file of the user's own")
