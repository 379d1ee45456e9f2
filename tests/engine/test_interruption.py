import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from softmode.engine.interruption import Stopped, check, ignore_signals, stops_on_signals
from softmode.engine.outputs import only_writer


def test_signal_is_raised_once_and_afterwards_does_what_it_did_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped, match="stopped by SIGTERM") as caught, stops_on_signals(restored=True):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:  # a second one does not disturb the tidying up
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)
    assert caught.value.exit_code == 143
    assert signal.getsignal(signal.SIGTERM) is before


def test_nothing_stops_a_command_whose_output_is_about_to_be_complete() -> None:
    with stops_on_signals(restored=True):
        ignore_signals()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)


def test_order_to_stop_waits_for_a_safe_place_while_an_output_is_written(tmp_path: Path) -> None:
    """Else numpy, for one, takes it for a mistake of its own, and the entry at hand for a failure."""
    with pytest.raises(Stopped), stops_on_signals(restored=True), only_writer(tmp_path / "0.db"):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
        safe = True
        check()
        safe = False
    assert safe
    check()  # it is not told for ever


def test_nobody_is_deaf_to_signals_outside_of_a_command() -> None:
    ignore_signals()
    assert signal.getsignal(signal.SIGTERM) != signal.SIG_IGN


def test_signal_that_was_ignored_before_stays_so() -> None:
    """As with nohup, or in the background of a script."""
    code = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from softmode.engine.interruption import stops_on_signals\n"
        "with stops_on_signals(restored=False): os.kill(os.getpid(), signal.SIGHUP); print('goes on')"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "goes on\n"
    )


def test_signal_to_a_child_process_does_not_stop_the_parent() -> None:
    """Workers of a package are ended so."""
    code = (
        "import multiprocessing, time; from softmode.engine import interruption\n"
        "interruption._GRACE_s = 0.1\n"
        "with interruption.stops_on_signals(restored=False):\n"
        "    child = multiprocessing.get_context('fork').Process(target=time.sleep, args=(60,)); child.start()\n"
        "    time.sleep(0.1); child.terminate(); child.join(); time.sleep(0.5); print(child.exitcode)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "-15\n"), result.stderr
