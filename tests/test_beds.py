"""A bed is started, and is gone afterwards; where it cannot be, the test is skipped and says why."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from beds import bed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the scripts use setsid and /dev/tcp")

Script = Callable[[str], str]

SERVER = f"""
setsid "{sys.executable}" -m http.server --bind 127.0.0.1 "$1" > /dev/null 2>&1 < /dev/null &
PID=$!
echo $PID > "$(dirname "$0")/pid"
until (exec 3<>/dev/tcp/127.0.0.1/$1) 2> /dev/null; do sleep 0.05; done
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Write a script into the folder of the beds; returns its name."""
    monkeypatch.setenv("STUBWIRE_BEDS", str(tmp_path))

    def write(text: str) -> str:
        (tmp_path / "start_it.sh").write_text(text)
        return "start_it.sh"

    return write


def is_gone(process: int) -> bool:
    """Whether a process has ended; waits a while for it."""
    for _ in range(200):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{process}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True  # where nobody waits for orphans
        time.sleep(0.02)
    return False


def test_a_server_runs_for_as_long_as_the_block(script: Script, tmp_path: Path) -> None:
    with bed(script(SERVER + 'echo "ready"\necho "PID=$PID"\n'), ports=3) as port:
        assert httpx.get(f"http://127.0.0.1:{port}/start_it.sh-not-there").status_code == 404
    assert is_gone(int((tmp_path / "pid").read_text()))
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}")


def test_a_script_is_given_what_it_takes(script: Script, tmp_path: Path) -> None:
    name = script('echo "$@" > "$(dirname "$0")/given"\nshift\n' + SERVER + 'echo "PID=$PID"\n')
    with bed(name, "NAME", "{0}", "{1}", ports=2) as port:
        assert (tmp_path / "given").read_text() == f"NAME {port} {port + 1}\n"


def test_a_test_that_fails_leaves_no_server_behind(script: Script, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="the test"), bed(script(SERVER + 'echo "PID=$PID"\n')):
        raise LookupError("the test")
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_a_script_that_is_not_there_skips_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUBWIRE_BEDS", str(tmp_path))
    wanted = f"there is no {tmp_path / 'start_it.sh'}: set STUBWIRE_BEDS to the folder of the scripts"
    with pytest.raises(pytest.skip.Exception) as skipped, bed("start_it.sh"):
        pass
    assert str(skipped.value) == wanted


def test_a_script_that_fails_skips_the_test_with_its_last_words(script: Script) -> None:
    name = script('echo "installing"\necho "FAILED: npm is not here" >&2\nexit 3\n')
    with (
        pytest.raises(
            pytest.skip.Exception, match=r"^start_it.sh ended with 3: installing \| FAILED: npm is not here$"
        ),
        bed(name),
    ):
        pass


def test_a_server_that_takes_too_long_skips_the_test_and_is_stopped(script: Script, tmp_path: Path) -> None:
    name = script(SERVER.replace("until", "sleep 60; until"))
    wanted = r"^start_it.sh did not start its server within 2 s: it printed nothing$"
    with pytest.raises(pytest.skip.Exception, match=wanted), bed(name, patience=2):
        pass
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_a_server_that_does_not_want_to_end_is_killed(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stubborn = SERVER.replace("-m http.server --bind 127.0.0.1", f'"{tmp_path}/stubborn.py"')
    (tmp_path / "stubborn.py").write_text(
        "import http.server, signal, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "http.server.test(bind='127.0.0.1', port=int(sys.argv[1]))\n"
    )
    monkeypatch.setattr("beds.GRACE", 0.2)
    with bed(script(stubborn + 'echo "PID=$PID"\n')):
        process = int((tmp_path / "pid").read_text())
        os.kill(process, signal.SIGTERM)
    assert is_gone(process)
