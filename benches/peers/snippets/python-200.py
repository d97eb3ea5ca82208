"""A key-value store in one append-only file.

Every change is a record at the end of the file: a checksum, the lengths of key and value, and the two of them. An index in
memory says where the newest record of each key begins. Opening reads the file once; a torn record at the end is cut off.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

HEADER = struct.Struct("<IIi")  # checksum, length of the key, length of the value or -1
TOMBSTONE = -1
COMPACT_AT = 4217


class Corrupt(Exception):
    """A record's checksum does not match what it holds."""

    def __init__(self, path: Path, offset: int) -> None:
        super().__init__(f"{path}: the record at byte {offset} is damaged")
        self.path = path
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Place:
    """Where the value of a key lies in the file."""

    offset: int
    length: int


@dataclass(slots=True)
class Stats:
    """What happened since the store was opened."""

    reads: int = 0
    writes: int = 0
    dead: int = 0
    compactions: int = 0
    torn_bytes: int = field(default=0, compare=False)

    @property
    def worth_compacting(self) -> bool:
        return self.dead >= COMPACT_AT


def encode(key: bytes, value: bytes | None) -> bytes:
    """The bytes of one record; a value of None deletes the key."""
    length = TOMBSTONE if value is None else len(value)
    body = key + (value or b"")
    lengths = struct.pack("<Ii", len(key), length)
    checksum = zlib.crc32(lengths + body)
    return HEADER.pack(checksum, len(key), length) + body


def decode(file: BinaryIO, path: Path) -> Iterator[tuple[bytes, Place | None, int]]:
    """Reads records until the end of the file, or until one that was torn by a crash."""
    while True:
        start = file.tell()
        head = file.read(HEADER.size)
        if len(head) < HEADER.size:
            return
        checksum, key_length, value_length = HEADER.unpack(head)
        body = file.read(key_length + max(value_length, 0))
        if len(body) < key_length + max(value_length, 0):
            return
        if zlib.crc32(head[4:] + body) != checksum:
            raise Corrupt(path, start)
        key = body[:key_length]
        place = None
        if value_length != TOMBSTONE:
            place = Place(start + HEADER.size + key_length, value_length)
        yield key, place, file.tell()


class Store(Mapping[bytes, bytes]):
    """A mapping that survives the process."""

    def __init__(self, path: str | os.PathLike[str], *, sync: bool = True) -> None:
        self.path = Path(path)
        self.sync = sync
        self.stats = Stats()
        self._lock = threading.RLock()
        self._index: dict[bytes, Place] = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a+b")
        self._recover()

    def _recover(self) -> None:
        self._file.seek(0)
        end = 0
        for key, place, end in decode(self._file, self.path):
            if key in self._index:
                self.stats.dead += 1
            if place is None:
                self._index.pop(key, None)
            else:
                self._index[key] = place
        size = self._file.seek(0, os.SEEK_END)
        if size > end:
            self.stats.torn_bytes = size - end
            self._file.truncate(end)

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[bytes]:
        with self._lock:
            return iter(sorted(self._index))

    def __contains__(self, key: object) -> bool:
        return key in self._index

    def __getitem__(self, key: bytes) -> bytes:
        with self._lock:
            place = self._index[key]
            self.stats.reads += 1
            self._file.seek(place.offset)
            return self._file.read(place.length)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        with self._lock:
            start = self._append(encode(key, value))
            if key in self._index:
                self.stats.dead += 1
            offset = start + HEADER.size + len(key)
            self._index[key] = Place(offset, len(value))
            self._maybe_compact()

    def __delitem__(self, key: bytes) -> None:
        with self._lock:
            del self._index[key]
            self._append(encode(key, None))
            self.stats.dead += 2
            self._maybe_compact()

    def _append(self, record: bytes) -> int:
        start = self._file.seek(0, os.SEEK_END)
        self._file.write(record)
        self._file.flush()
        if self.sync:
            os.fsync(self._file.fileno())
        self.stats.writes += 1
        return start

    def _maybe_compact(self) -> None:
        if self.stats.worth_compacting and self.stats.dead > len(self._index):
            self.compact()

    def compact(self) -> None:
        """Writes the living records into a new file and puts it in the place of the old one."""
        with self._lock:
            fresh = self.path.with_suffix(".compact")
            index: dict[bytes, Place] = {}
            with fresh.open("wb") as file:
                for key, value in self.items():
                    start = file.tell()
                    file.write(encode(key, value))
                    index[key] = Place(start + HEADER.size + len(key), len(value))
                file.flush()
                os.fsync(file.fileno())
            self._file.close()
            os.replace(fresh, self.path)
            self._file = self.path.open("a+b")
            self._index = index
            self.stats.dead = 0
            self.stats.compactions += 1

    @contextmanager
    def batch(self) -> Iterator[Store]:
        """Many changes with one trip to the disk at the end."""
        with self._lock:
            sync, self.sync = self.sync, False
            try:
                yield self
            finally:
                self.sync = sync
                os.fsync(self._file.fileno())

    def close(self) -> None:
        with self._lock:
            self._file.close()


if __name__ == "__main__":
    with Store("/tmp/store.log").batch() as store:
        store[b"greeting"] = b"hello"
        store[b"farewell"] = b"see you"
        del store[b"farewell"]
        print(len(store), store.stats)
    store.close()
