"""One sentence on the machine a figure was taken on."""
import os
import pathlib
import re


def describe_machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) / 2**20
    return (f"Machine: {len(os.sched_getaffinity(0))} cores of {model[1] if model else 'an unknown processor'}, {memory:.0f} GiB; "
            f"load average at the end {os.getloadavg()[0]:.1f}.")
