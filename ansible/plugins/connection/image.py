"""Ansible connection into the root tree of an image: runs what a playbook asks for in a chroot."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ansible.errors import AnsibleError

from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: image
short_description: Work on the root tree of an image
description:
  - Runs commands in a chroot. The inventory host name is the path of the tree.
  - /proc, /dev and a name server must be there, see image/lib.sh, in_root.
author: Hikma Hub contributors
options:
  remote_addr:
    description: Path of the tree.
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
"""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRON = {"PATH": _PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


class Connection(ConnectionBase):
    """One tree."""

    transport = "image"
    has_pipelining = True
    has_tty = False

    def _connect(self) -> Connection:
        root = Path(self._play_context.remote_addr)
        if not (root / "usr/bin").is_dir():
            message = f"{root} is not the root tree of a Debian system"
            raise AnsibleError(message)
        self._root = root
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:  # noqa: FBT001, FBT002  Ansible's signature
        """Run a command line of Ansible; returns its status and what it printed."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        words = ["chroot", str(self._root), "/bin/sh", "-c", cmd]
        done = subprocess.run(words, input=in_data, capture_output=True, env=_ENVIRON, check=False)  # noqa: S603  Ansible's own command
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy into the tree."""
        super().put_file(in_path, out_path)
        shutil.copyfile(in_path, self._inside(out_path))

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy out of the tree."""
        super().fetch_file(in_path, out_path)
        shutil.copyfile(self._inside(in_path), out_path)

    def close(self) -> None:
        """End the connection, which holds nothing open."""
        self._connected = False

    def _inside(self, path: str) -> Path:
        return self._root / path.lstrip("/")
