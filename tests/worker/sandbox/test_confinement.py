"""Claims about a sandbox seen from inside, where a test build of it runs what a test wants it to."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dropaudit_models import export
from dropaudit_worker.sandbox.confinement.process_limits import SandboxLimits
from support.sandboxes import TESTS, Hostile, hostile

SECRET = "hunter2"
NOT_THERE = {"PermissionError", "FileNotFoundError", "NotADirectoryError", "OSError", "ProcessLookupError"}


@pytest.fixture(scope="module")
def inside() -> Iterator[Hostile]:
    """One sandbox for all that is tried, started by a process that has a secret in its environment."""
    os.environ["DROPAUDIT_REDIS_URL"] = f"redis://:{SECRET}@127.0.0.1:1/0"
    os.environ["DROPAUDIT_REDIS_PASSWORD_FILE"] = "/run/redis/password"
    try:
        with hostile() as found:
            yield found
    finally:
        del os.environ["DROPAUDIT_REDIS_URL"], os.environ["DROPAUDIT_REDIS_PASSWORD_FILE"]


def test_a_sandbox_runs_python(inside: Hostile) -> None:
    assert inside.says("import sys; said = sys.version_info[:2]") == list(sys.version_info[:2])


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "/etc/shadow", "/etc/hostname", "/proc/1/environ", "/proc/{pid}/environ", "/proc/{pid}/maps"],
)
def test_it_reads_no_file_of_the_system(inside: Hostile, path: str) -> None:
    said = inside.says(f"said = open({path.format(pid=os.getpid())!r}, 'rb').read().decode('latin-1')")
    # In its own namespace number one is itself, and it may know that it knows nothing.
    assert said in NOT_THERE or SECRET not in said
    assert path.startswith("/proc") or said in NOT_THERE


def test_it_reads_no_file_of_its_user(inside: Hostile, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET, encoding="ascii")
    assert inside.says(f"said = open('{tmp_path}/secret').read()") in NOT_THERE
    assert inside.says(f"import os; said = os.listdir('{tmp_path}')") in NOT_THERE
    assert inside.says("import os; said = os.listdir(os.path.expanduser('~'))") in NOT_THERE
    assert inside.says("import os; said = os.listdir('/home')") in NOT_THERE


def test_its_working_folder_is_empty_and_stays_so(inside: Hostile) -> None:
    assert inside.says("import os; said = os.listdir('.')") == []
    assert inside.says("said = open('anything', 'w').write('x')") in NOT_THERE
    assert inside.says("import os; said = os.mkdir('anything')") in NOT_THERE


@pytest.mark.parametrize(
    "path", ["/tmp/anything", "/dev/shm/anything", "/anything", f"{TESTS}/anything", "/usr/lib/anything"]
)
def test_it_writes_nowhere(inside: Hostile, path: str) -> None:
    assert inside.says(f"said = open('{path}', 'w').write('x')") in NOT_THERE
    assert not Path(path).exists()


def test_it_changes_no_code(inside: Hostile) -> None:
    assert inside.says(f"said = open('{__file__}', 'a').write('x')") in NOT_THERE


def test_its_environment_holds_no_secret(inside: Hostile) -> None:
    said = inside.says("import os; said = dict(os.environ)")
    assert "LC_ALL" in said
    assert SECRET not in str(said)
    assert "DROPAUDIT" not in str(said)
    assert {"HOME", "USER", "AWS_ACCESS_KEY_ID"}.isdisjoint(said)
    assert SECRET not in inside.says("said = open('/proc/self/environ').read()")


def test_it_has_no_file_open_but_what_it_was_given(inside: Hostile) -> None:
    found = inside.says("import os; said = [os.readlink(f'/proc/self/fd/{each}') for each in (0, 1, 2)]")
    assert found[0] == "/dev/null"
    assert all("memfd" in each for each in found[1:])
    count = "import os; said = sum(os.path.exists(f'/proc/self/fd/{each}') for each in range(3, 256))"
    # The socket alone.
    assert inside.says(count) <= 1


def test_it_reaches_no_network(inside: Hostile, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as local:
        local.bind(str(tmp_path / "socket"))
        local.listen()
        port = tcp.getsockname()[1]
        for program in (
            f"socket.create_connection(('127.0.0.1', {port}), 5)",
            f"socket.socket(socket.AF_UNIX).connect('{tmp_path}/socket')",
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 53))",
            "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
            "socket.create_server(('127.0.0.1', 0))",
        ):
            assert inside.says(f"import socket; said = str({program})") in NOT_THERE


@pytest.fixture(scope="module")
def beside_a_gpu() -> Iterator[Hostile]:
    """A sandbox in which NVIDIA's driver must begin."""
    with hostile(SandboxLimits(gpu=True)) as found:
        yield found


def test_beside_a_gpu_the_driver_may_name_threads_and_listen(beside_a_gpu: Hostile) -> None:
    program = """
import socket, threading
listener = socket.socket(socket.AF_UNIX)
listener.bind(b"\\0of the driver")
listener.listen()
thread = threading.get_native_id()
with open(f"/proc/self/task/{thread}/comm", "w") as name:
    name.write("named")
said = open(f"/proc/self/task/{thread}/comm").read().strip()
"""
    assert beside_a_gpu.says(program) == "named"


def test_beside_a_gpu_nothing_is_reached_either(beside_a_gpu: Hostile, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stream, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        stream.bind(str(tmp_path / "stream"))
        stream.listen()
        datagrams.bind(str(tmp_path / "datagrams"))
        for program in (
            "socket.socket(socket.AF_INET)",
            "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
            "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
            f"socket.socket(socket.AF_UNIX).connect('{tmp_path}/stream')",
            f"socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', '{tmp_path}/datagrams')",
            "socket.socketpair()[0].sendmsg([b'x'])",
        ):
            assert beside_a_gpu.says(f"import socket; said = str({program})") in NOT_THERE, program


def test_it_starts_and_signals_nobody(inside: Hostile) -> None:
    for program in (
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "__import__('subprocess').run(['/bin/true'])",
        f"os.kill({os.getpid()}, 0)",
        f"os.kill({inside.sandbox.pid}, 9)",
        "os.kill(-1, 9)",
        f"__import__('resource').prlimit({os.getpid()}, 7, (8, 8))",
    ):
        assert inside.says(f"import os; said = {program}") in NOT_THERE, program


@pytest.mark.parametrize(
    "call",
    [
        "libc.unshare(0x10000000)",
        "libc.mount(b'none', b'/', b'tmpfs', 0, None)",
        "libc.ptrace(16, 1, 0, 0)",
        "libc.setuid(0) if os.getuid() else -1",
        "libc.chroot(b'/')",
        "libc.syscall(425, 1, 0)",
        "libc.syscall(321, 0, 0, 0)",
        "libc.prctl(38, 0, 0, 0, 0)",
    ],
)
def test_it_asks_the_kernel_for_nothing_that_it_does_not_need(inside: Hostile, call: str) -> None:
    assert inside.says(f"import ctypes, os; libc = ctypes.CDLL(None); said = {call}") == -1


def test_it_has_no_capability_and_gets_none(inside: Hostile) -> None:
    status = inside.says("said = open('/proc/self/status').read()")
    found = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {found[name].strip("0") for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {""}
    assert (found["NoNewPrivs"], found["Seccomp"]) == ("1", "2")


def test_none_of_its_threads_is_outside(inside: Hostile) -> None:
    program = """
import glob, numpy
numpy.ones((500, 500)) @ numpy.ones((500, 500))
said = [[line.split()[1] for line in open(each) if line.startswith(("NoNewPrivs", "Seccomp:", "CapEff"))]
        for each in glob.glob("/proc/self/task/*/status")]
"""
    found = inside.says(program)
    # The one that does jobs, and the one that listens.
    assert len(found) >= 2
    assert {tuple(each) for each in found} == {("0" * 16, "1", "2")}


def test_threads_and_files_in_memory_are_there_since_the_runtime_needs_them(inside: Hostile) -> None:
    program = """
import os, threading
ran = []
thread = threading.Thread(target=lambda: ran.append(1))
thread.start(); thread.join()
file = os.memfd_create("x")
with open(f"/proc/self/fd/{file}", "r+b") as again:
    again.write(b"abc")
said = [ran, os.pread(file, 3, 0).decode()]
"""
    assert inside.says(program) == [[1], "abc"]


WITHOUT_NAMESPACES = """
import sys
from pathlib import Path
from dropaudit_worker.sandbox.confinement import namespaces
sys.path.insert(0, sys.argv[1])
namespaces.enter()
limit = Path("/proc/sys/user/max_user_namespaces")
try:
    limit.write_text("0")
except OSError:
    pass
namespaces.fork_into_processes([])
from dropaudit_worker.sandbox.confinement.kernel import drop_privileges
drop_privileges()
from dropaudit_models import export
from support.sandboxes import hostile
with hostile() as inside:
    print(inside.says("said = open('/etc/passwd').read()"))
    print(inside.says("import socket; said = socket.create_connection(('127.0.0.1', 1))"))
    print(inside.says("import os; said = os.listdir('.')"))
    print(inside.sandbox.missing)
from dropaudit.plan import Plan, Provider, Role
from dropaudit_store.records import ArtifactRef, Spec
from dropaudit_worker.sandbox.host import Sandbox
from dropaudit_worker.sandbox.confinement.process_limits import SandboxLimits
from dropaudit_worker.sandbox.wire import AuditJob
content = Path(sys.argv[2]).read_bytes()
spec = Spec(subject=ArtifactRef(role=Role.TRAIN), plan=Plan(provider=Provider.CPU))
sandbox = Sandbox(SandboxLimits())
job = AuditJob(number=1, spec=spec, sizes=(len(content),))
ended = sandbox.run(job, [content], lambda _: None, lambda: False, 60.0)
print(ended.report["verdict"])
"""


def test_without_namespaces_the_other_walls_stand_and_what_is_missing_is_said(tmp_path: Path) -> None:
    model = export("lstm-dropout", tmp_path)
    command = [sys.executable, "-c", WITHOUT_NAMESPACES, str(TESTS), str(model)]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    file, network, folder, missing, audited = ended.stdout.splitlines()
    assert (file, network) == ("PermissionError", "PermissionError")
    assert folder == "PermissionError"
    assert audited == "PASS"
    assert "'a network namespace'" in missing
    assert "'a mount namespace'" in missing
    assert "Landlock" not in missing
    assert "seccomp" not in missing
