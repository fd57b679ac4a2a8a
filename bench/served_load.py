"""A server under load, for the benches of serving: the load generator's answer, and what the server used for it."""
import json
import os
import pathlib
import subprocess


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    line = next(line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return 1024 * int(line.split()[1])


def load(generator, server, **options):
    """Options of bench/load/load.cpp; its answer, with the processor time of the server beside it."""
    before = cpu_seconds(server.process.pid)
    line = [generator, "--port", str(server.port)]
    for key, value in options.items():
        line += ["--" + key.replace("_", "-"), str(value)]
    done = subprocess.run(line, capture_output=True, text=True)
    if not done.stdout:
        raise SystemExit(f"{line}: {done.stderr}")
    result = json.loads(done.stdout)
    result["server_cpu_s"] = cpu_seconds(server.process.pid) - before
    return result
