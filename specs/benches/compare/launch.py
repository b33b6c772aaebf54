"""Runs a command: `launch.py OUTPUT COMMAND...`; prints wall and CPU seconds and peak megabytes.

Small on purpose: a child begins with the peak of the process that starts it.
"""

import os
import subprocess
import sys
import time

output, *command = sys.argv[1:]
begin = time.perf_counter()
with open(output, "w") as out:
    child = subprocess.Popen(command, stdout=out)
    _, status, usage = os.wait4(child.pid, 0)
wall = time.perf_counter() - begin
megabytes = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
print(wall, usage.ru_utime + usage.ru_stime, megabytes)
sys.exit(os.waitstatus_to_exitcode(status))
