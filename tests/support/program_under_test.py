"""The program as a command line, for the tests in tests/outside. Standard library only."""
import json
import subprocess


class Program:
    def __init__(self, binary):
        self.binary = binary

    def run(self, *words, seconds=600):
        command = [str(word) for word in (self.binary, "-q", *words)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)

    def json_of(self, *words, ends=(0,)):
        """What it prints with --json; `ends`: the exit statuses that are right."""
        done = self.run(*words, "--json")
        assert done.returncode in ends, (words, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def decision_of(self, *words):
        """Of a gate, which may promote (0) or hold (3)."""
        return self.json_of(*words, ends=(0, 3))

    def refused(self, words, *keys):
        """It ends with 1 or 2 and says why in one sentence and at most one hint, in which the keys stand."""
        done = self.run(*words, seconds=120)  # what is taken after all may serve for ever
        assert done.returncode in (1, 2), (words, done.returncode, done.stdout, done.stderr)
        lines = done.stderr.strip().splitlines()
        assert 1 <= len(lines) <= 2 and lines[0].startswith("honeyguide: "), (words, done.stderr)
        for word in ("exception", "frame #", "terminate", "std::"):
            assert word not in done.stderr, (words, done.stderr)
        for key in keys:
            assert key in done.stderr, (words, key, done.stderr)
