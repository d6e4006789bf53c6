"""What is noticed of an initramfs before it goes to a card."""

import subprocess
from pathlib import Path

import pytest

from tests.outside import PROJECT, tool

OURS, THEIRS = (b"\x7fELF" + bytes(14) + machine + bytes(44) for machine in (b"\xb7\0", b"\x3e\0"))


def archive(**files: bytes) -> bytes:
    """Return a cpio archive ("newc") of files, whose names have _ for /."""
    packed = b""
    for name, held in [*files.items(), ("TRAILER!!!", b"")]:
        path = name.replace("_", "/").encode() + b"\0"
        numbers = [0, 0o100644, 0, 0, 1, 0, len(held), 0, 0, 0, 0, len(path), 0]
        packed += b"070701" + b"".join(b"%08X" % number for number in numbers) + path
        packed += bytes(-len(packed) % 4) + held
        packed += bytes(-len(packed) % 4)
    return packed + bytes(-len(packed) % 512)


def compressed(blob: bytes) -> bytes:
    tool("zstd", "apt install zstd")
    return subprocess.run(["zstd", "-qc"], input=blob, stdout=subprocess.PIPE, check=True).stdout  # noqa: S607


def looked_at(path: Path) -> tuple[int, str]:
    words = [".venv/bin/python", "image/initramfs.py", str(path)]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("early", "main", "fault"),
    [
        ({"a": b"x"}, {"usr_bin_sh": OURS, "scripts_init": b"#!/bin/sh"}, ""),
        ({}, {"usr_bin_sh": OURS}, ""),
        ({"a": b"x"}, {"usr_bin_cp": THEIRS}, "usr/bin/cp is a program of another machine"),
        ({"usr_bin_cp": THEIRS}, {"a": b"x"}, "usr/bin/cp is a program of another machine"),
        ({"a": b"x"}, {"scripts_local-premount_firstboot": b"#"}, "firstboot would set up the card"),
        ({}, {}, "there is nothing in it"),
    ],
)
def test_an_initramfs_is_looked_into_whatever_part_is_compressed(
    tmp_path: Path, early: dict[str, bytes], main: dict[str, bytes], fault: str
) -> None:
    (path := tmp_path / "initramfs8").write_bytes(archive(**early) + compressed(archive(**main)))
    status, said = looked_at(path)
    assert (status, fault in said) == (int(bool(fault)), True), said


@pytest.mark.parametrize("held", [b"not one", archive(a=b"x")[:100], b"070701"])
def test_what_is_no_initramfs_or_half_of_one_is_said_to_be_that(tmp_path: Path, held: bytes) -> None:
    compressed(b"")
    (path := tmp_path / "initramfs8").write_bytes(held)
    assert looked_at(path) == (1, f"{path}: it is cut short, or no initramfs at all\n")
