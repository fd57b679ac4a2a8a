"""What every page of figures says of where they come from: the commit and the machine."""
import os
import pathlib
import re
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parent.parent


def describe_commit():
    """The commit of the checkout, with a + where files differ from it; nothing outside a checkout."""
    done = subprocess.run(["git", "describe", "--always", "--exclude=*", "--dirty=+"], cwd=SOURCE, capture_output=True, text=True, check=False)
    return f"Program of commit {done.stdout.strip()}. " if done.returncode == 0 else ""


def describe_machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) / 2**20
    return (f"{describe_commit()}Machine: {len(os.sched_getaffinity(0))} cores of {model[1] if model else 'an unknown processor'}, {memory:.0f} GiB; "
            f"load average at the end {os.getloadavg()[0]:.1f}.")
