"""A training step on the pretend accelerator, in a process of its own.

torch counts devices when a process goes back through its first network, and knows none that come later; other
tests of this process may have done so.
"""

import subprocess
import sys
from pathlib import Path

STEPS = Path(__file__).with_name("training_steps.py")


def test_a_step_is_the_cpu_s():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(STEPS)]
    done = subprocess.run(command, cwd=STEPS.parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
