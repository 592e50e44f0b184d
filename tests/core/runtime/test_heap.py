"""Claims about the memory that a process has freed, in processes of their own."""

from __future__ import annotations

import platform
import subprocess
import sys

PROGRAM = """
import resource, sys
import numpy as np
from dropaudit.runtime.heap import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()
# Several sizes, as an audit takes them: the last to be freed is not always at the end of the heap.
def work():
    for size in (2**18, 2**20, 2**22, 2**20):
        del_me = np.ones(size, dtype=np.float32)
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    command = [sys.executable, "-c", PROGRAM, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_what_was_freed_is_used_again_without_page_faults() -> None:
    kept = faults("keep")
    if platform.libc_ver()[0] == "glibc":
        assert kept < 50
        assert kept < faults("leave")


RETURNED = """
import numpy as np
from dropaudit.runtime.heap import give_back_freed_memory

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

# Pieces that are small enough for the heap, with one between that stays.
pieces = [np.ones(2**14, np.float32) for _ in range(2000)]
stays = np.ones(2**14, np.float32)
del pieces
before = resident()
give_back_freed_memory()
print(before - resident())
"""


def test_what_was_freed_in_the_midst_of_the_heap_is_given_back() -> None:
    command = [sys.executable, "-c", RETURNED]
    found = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if platform.libc_ver()[0] == "glibc":
        assert found > 2**26
