"""Faults by the kernel itself, in a forked process: a system call refused, a disk that is really full.

A patch of Python's own `os` would miss what torch and safetensors write with code of their own. Linux alone.
"""

import ctypes
import errno
import os
import platform
import signal
import struct
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

SYSCALLS = {  # by machine; from the kernel's asm/unistd.h
    "x86_64": {"write": 1, "pwrite64": 18, "writev": 20, "fsync": 74, "fdatasync": 75, "msync": 26},
    "aarch64": {"write": 64, "pwrite64": 68, "writev": 66, "fsync": 82, "fdatasync": 83, "msync": 227},
}
CAN_REFUSE = sys.platform == "linux" and platform.machine() in SYSCALLS
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER_MODE = 38, 22, 2
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # of a classic BPF program
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
NUMBER_AT, COUNT_AT = 0, 32  # in seccomp_data: the call's number; its third argument
NEW_NAMESPACES = 0x00020000 | 0x10000000  # CLONE_NEWNS | CLONE_NEWUSER
OTHERWISE = 99


def in_child(play: Callable[[], int]) -> int:
    """Run `play` in a forked process; return what it returns, or OTHERWISE (its traceback is printed)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on: forking with threads. This child does
        child = os.fork()  # what it has to, ends, and takes no lock of theirs
    if child == 0:
        outcome = OTHERWISE
        try:
            outcome = play()
        except BaseException:
            traceback.print_exc()
        os._exit(outcome)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def refuse(code: int, *names: str, from_bytes: int = 0) -> None:
    """Let these system calls of this process fail with an errno from now on; writes only of so many bytes or more."""
    program = [_op(LOAD, NUMBER_AT)]
    for name in names:
        number = SYSCALLS[platform.machine()][name]
        if from_bytes and name.endswith(("write", "write64")):
            program += [
                _op(JUMP_EQUAL, number, 0, 4),
                _op(LOAD, COUNT_AT),
                _op(JUMP_AT_LEAST, from_bytes, 0, 1),
                _op(RETURN, REFUSE | code),
                _op(RETURN, ALLOW),
            ]
        else:
            program += [_op(JUMP_EQUAL, number, 0, 1), _op(RETURN, REFUSE | code)]
    program.append(_op(RETURN, ALLOW))
    filters = ctypes.create_string_buffer(b"".join(program))
    described = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(filters)))
    _prctl(PR_SET_NO_NEW_PRIVS, 1, 0)
    _prctl(PR_SET_SECCOMP, FILTER_MODE, ctypes.addressof(described))


def die_in_a_write(byte_count: int) -> None:
    """Let the kernel kill this process in the first write that makes a file larger, once the part before is written."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it, and would get an error in place of its end
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (byte_count, byte_count))


def mount_small_disk(folder: Path, byte_count: int) -> None:
    """Put an empty disk of that size at `folder`, for this process alone. Raises OSError where that is not allowed."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_NAMESPACES) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    options = f"size={byte_count}".encode()
    if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, options) != 0:
        raise OSError(ctypes.get_errno(), "mount")


def can_mount(folder: Path) -> bool:
    """Say whether this machine lets a process mount a disk for itself."""
    if sys.platform != "linux":
        return False

    def attempt() -> int:
        try:
            mount_small_disk(folder, 1 << 20)
        except OSError as error:
            return error.errno or errno.EPERM
        return 0

    return in_child(attempt) == 0


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _prctl(option: int, first: int, second: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = [ctypes.c_ulong(value) for value in (first, second, 0, 0)]
    if libc.prctl(option, *arguments) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
