"""Confines this process, then becomes the command behind the policy: `python confine.py POLICY COMMAND …`.

Run as a file by itself, before any library: Landlock decides what it and its children may open from here on, a network
namespace of its own leaves it no network but its own loopback. Both are the kernel's (Linux 5.13 and newer); where it
has them not, or does not grant them, the command runs all the same, and `make doctor` says so.
"""

import ctypes
import errno
import fcntl
import json
import os
import socket
import struct
import sys

# linux/landlock.h; the numbers of the system calls are the same on every architecture.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION, PATH_BENEATH = 1, 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REFER, TRUNCATE = 1 << 13, 1 << 14
FIRST = (1 << 13) - 1  # all rights of ABI 1
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
ABSTRACT_SOCKETS, SIGNALS = 1 << 0, 1 << 1  # scopes, ABI 6: neither reaches a process outside
SCOPED_SINCE = 6
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 38, 24
KEPT_OF_ROOT = frozenset({0, 1, 2, 3})  # CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER: files of its own may be others'
LAST_CAPABILITY = 40
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

PROBE = "--probe"
RIGHTS = {"list": READ_DIR, "read": READ_FILE | READ_DIR | EXECUTE, "write": FIRST | REFER | TRUNCATE}


def landlock_version() -> int:
    """Return the version of Landlock that the kernel offers; 0: none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None, use_errno=True).syscall(CREATE_RULESET, None, 0, VERSION)))


def confine_files(allowed: dict[str, list[str]]) -> bool:
    """Let this process open what is allowed, by kind of right, and nothing else; say whether the kernel does that."""
    version = landlock_version()
    if not version:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    handled = FIRST | (REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)
    scoped = ABSTRACT_SOCKETS | SIGNALS if version >= SCOPED_SINCE else 0
    attributes = struct.pack("=QQQ", handled, 0, scoped)
    size = len(attributes) if version >= SCOPED_SINCE else 8
    ruleset = _checked(libc.syscall(CREATE_RULESET, attributes, size, 0))
    for kind, paths in allowed.items():
        for path in paths:
            _allow(libc, ruleset, path, RIGHTS[kind] & handled)
    _checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _checked(libc.syscall(RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)
    return True


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    """Allow a file, or a folder with all in it; what is not there needs no right."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):  # noqa: PTH112 -- pathlib would be all this process imports it for
        rights &= ON_FILES
    try:
        _checked(libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, struct.pack("=Qi", rights, handle), 0))
    finally:
        os.close(handle)


def leave_network() -> bool:
    """Go into a network namespace with a loopback of its own alone; say whether that was granted."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNET) and libc.unshare(CLONE_NEWUSER | CLONE_NEWNET):
        return False
    if user and not _is_mapped(user, group):
        return False
    with socket.socket() as probe:
        name = b"lo".ljust(16, b"\0")
        flags = struct.unpack("16sh", fcntl.ioctl(probe, SIOCGIFFLAGS, struct.pack("16sh", name, 0)))[1]
        fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sh", name, flags | IFF_UP))
    return True


def _is_mapped(user: int, group: int) -> bool:
    """Be the same user in the new namespace as outside."""
    try:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 -- as above
                file.write(text)
    except OSError:
        return False
    return True


def drop_capabilities() -> None:
    """Leave root, where the agent runs as root, nothing beyond files: with PERFMON it reads the agent's environment."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in range(LAST_CAPABILITY + 1):
            if capability not in KEPT_OF_ROOT:
                libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # refused to who has none


def _checked(value: int) -> int:
    if value < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"Landlock: {os.strerror(number)}")
    return value


def main() -> None:
    """Confine, then become the command; or with PROBE say by the exit code whether a network can be left."""
    if sys.argv[1:] == [PROBE]:
        sys.exit(not leave_network())
    policy = json.loads(sys.argv[1])
    command = sys.argv[2:]
    if policy.pop("alone"):
        leave_network()
    drop_capabilities()
    try:
        confine_files(policy)
        os.execv(command[0], command)  # noqa: S606 -- what the agent starts, no shell wanted
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started confined: {errno.errorcode.get(error.errno or 0)} {error}")


if __name__ == "__main__":
    main()
