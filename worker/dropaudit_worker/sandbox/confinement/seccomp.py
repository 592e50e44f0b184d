"""A filter of system calls: no network, no other process, no other program, nothing of the system's keeping."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

from dropaudit_worker.sandbox.confinement.kernel import prctl

_PR_SET_SECCOMP = 22
_MODE_FILTER = 2

# Instructions of the kernel's packet filter.
_LOAD, _EQUAL, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Where the kernel puts what a call is: its number, the machine, the halves of its first argument.
_NUMBER, _MACHINE, _FIRST_LOW, _FIRST_HIGH = 0, 4, 16, 20
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_X32 = 0x40000000
_CLONE_THREAD = 0x00010000

_SOCKET = (41, 198)
# By name: the number on x86-64, and that on aarch64, where the call exists.
_DENIED: dict[str, tuple[int | None, int | None]] = {
    # The network, and other ways round it.
    "socket": _SOCKET,
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "io_uring_setup": (425, 425),
    # Other programs and processes.
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    # Files by other ways than their paths, and other views of them.
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "quotactl": (179, 60),
    "fanotify_init": (300, 262),
    # The kernel's own: what is seldom used is seldom looked at.
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "syslog": (103, 116),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "iopl": (172, None),
    "ioperm": (173, None),
    "personality": (135, 92),
}
# What NVIDIA's driver does not begin without (580, CUDA 13): it listens on a local socket. Nobody can connect to it
# from here, nor can anything be sent.
_OF_DRIVER = ("socket", "bind", "listen")
_LOCAL = 1  # AF_UNIX
_CLONE, _CLONE3, _PRLIMIT, _TGKILL = (56, 220), (435, 435), (302, 261), (234, 131)
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def filter_system_calls(gpu: bool = False) -> None:
    """Set the filter for this thread and all that it will start. Raises OSError where there is none.

    Args:
        gpu: whether NVIDIA's driver works in this process.
    """
    machine = platform.machine()
    if machine not in _MACHINES:
        raise OSError(errno.ENOSYS, f"there is no system call filter for {machine}")
    content = program(*_MACHINES[machine], os.getpid(), gpu=gpu)
    filled = _Program(len(content) // 8, content)
    prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(filled))


def program(column: int, machine: int, pid: int, *, gpu: bool = False) -> bytes:
    """Return the filter for a kind of machine: denied calls fail as if without permission."""
    denied = [numbers[column] for name, numbers in _DENIED.items() if not (gpu and name in _OF_DRIVER)]
    return b"".join(
        [
            _load(_MACHINE),
            _jump(_EQUAL, machine, 1, 0),
            _return(_KILL),
            _load(_NUMBER),
            # The other calling convention of x86-64 has numbers of its own.
            _jump(_AT_LEAST, _X32, 0, 1),
            _return(_ERROR | errno.ENOSYS),
            # Its arguments cannot be looked at; the C library takes clone instead.
            _jump(_EQUAL, _CLONE3[column], 0, 1),
            _return(_ERROR | errno.ENOSYS),
            # Threads, but no processes.
            _jump(_EQUAL, _CLONE[column], 0, 4),
            _load(_FIRST_LOW),
            _jump(_HAS_BITS, _CLONE_THREAD, 0, 1),
            _return(_ALLOW),
            _return(_ERROR | errno.EPERM),
            *_only_for(_PRLIMIT[column], 0),
            *_only_for(_TGKILL[column], pid),
            *(_only_for(_SOCKET[column], _LOCAL) if gpu else []),
            *(_denial(number) for number in denied if number is not None),
            _return(_ALLOW),
        ]
    )


def _only_for(number: int, first: int) -> list[bytes]:
    """Allow a call only with this first argument."""
    return [
        _jump(_EQUAL, number, 0, 4),
        _load(_FIRST_LOW),
        _jump(_EQUAL, first, 0, 1),
        _return(_ALLOW),
        _return(_ERROR | errno.EPERM),
    ]


def _denial(number: int) -> bytes:
    return _jump(_EQUAL, number, 0, 1) + _return(_ERROR | errno.EPERM)


def _load(offset: int) -> bytes:
    return _instruction(_LOAD, 0, 0, offset)


def _jump(kind: int, value: int, if_true: int, if_false: int) -> bytes:
    return _instruction(kind, if_true, if_false, value)


def _return(value: int) -> bytes:
    return _instruction(_RETURN, 0, 0, value)


def _instruction(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
