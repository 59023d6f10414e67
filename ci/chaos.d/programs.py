"""Processes of the program that fail on purpose, and the count of what was done."""

import os
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from random import Random

# At which hit a failpoint may fire, at most; 1 where nothing is said.
HITS = {"message": 60, "script_message": 6, "claim_jobs": 2, "write_results": 3, "beat": 2, "begin_attempt": 3,
        "direct_statement": 4, "hook": 2, "end_attempt": 3, "sqlite_begin": 8, "sqlite_receipt": 8,
        "sqlite_commit": 8, "receipts_table": 2, "batch_statement": 6, "batch_commit": 6, "take_hook": 6,
        "end_hook": 6, "run_hook": 6}
# In which layouts a failpoint is, where not in all.
ONLY = {"message": ("schemas", "databases"), "script_message": ("schemas", "databases"),
        "receipts_table": ("databases",), "sqlite_begin": ("sqlite",), "sqlite_receipt": ("sqlite",),
        "sqlite_commit": ("sqlite",), "settle_receipts": ("sqlite", "databases")}
# Where nothing can fail by an error: what was done is done.
SILENT = ("hook.before", "hook.after", "run_hook.before", "run_hook.after", "direct_statement.after")
# What a person's commands pass, and no runner.
OPERATORS = ("settle_receipts", "change_records")
CANCELS = ("cancel_run", "cancel_tenants")
# What only fleets with hooks around their runs pass, or with waves.
AROUND = ("take_hook", "end_hook", "run_hook")
GATES = ("take_gate",)
# What a runner passes at the end of its run, or only when another one died.
LATE = ("advance_run", "complete_run", "end_runner", "release_silent", "bury_runner")
ACTIONS = ("hang", "kill", "stop", "throw")
# Fires in every runner when it begins to write; nothing happens there.
MARK = ("remember.before", "hang:0")


def failpoints(source: Path) -> list[str]:
    """The names in the program's own list, each with both moments."""
    names = []
    for name, text in re.findall(r"^    case (\w+)(?: = \"(\w+)\")?$", source.read_text(), re.MULTILINE):
        names += [f"{text or name}.{moment}" for moment in ("before", "after")]
    return names


class Stuck(Exception):
    """What should have ended well and did not."""


class Tally:
    """What was done, over all rounds; several fleets count at once."""

    def __init__(self, points: list[str], layouts: list[str]) -> None:
        self.points = {layout: [point for point in points if layout in ONLY.get(point.split(".")[0], (layout,))]
                       for layout in layouts}
        self.lock = threading.Lock()
        self.armed: Counter[tuple[str, str]] = Counter()
        self.fired: Counter[tuple[str, str, str]] = Counter()
        self.outside: Counter[str] = Counter()
        self.exits: Counter[str] = Counter()
        self.operators: Counter[str] = Counter()
        self.rounds: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.is_interrupted = False

    def add(self, counter: Counter, key: object, number: int = 1) -> None:
        with self.lock:
            counter[key] += number

    @property
    def kills(self) -> int: return self.counts["killed by a failpoint"] + self.counts["killed from outside"]

    def fire(self, layout: str, hits: list[tuple[str, str]]) -> None:
        for point, action in hits:
            self.add(self.fired, (layout, point, action.split(":")[0]))

    def fires(self, layout: str, point: str) -> int:
        return sum(self.fired[layout, point, action] for action in ACTIONS)

    def rarity(self, layout: str, point: str) -> float:
        """Much for a failpoint that seldom fired; less for one that was often set and not reached."""
        fired = self.fires(layout, point)
        return 1 / (1 + fired + max(0, self.armed[layout, point] - fired) / 6) ** 2

    def choose(self, layout: str, points: list[str], actions: tuple[str, ...], random: Random) -> str:
        """A failpoint with its action and its hit, those that fired least above the others."""
        pairs = [(point, action) for point in points for action in actions
                 if action != "throw" or point not in SILENT]
        weights = [self.rarity(layout, point) / (1 + self.fired[layout, point, action]) for point, action in pairs]
        point, action = random.choices(pairs, weights)[0]
        self.add(self.armed, (layout, point))
        if action == "hang":
            action = f"hang:{random.choice([50, 300, 1200])}"
        # Rather an early hit: many runners do not come far.
        hit = random.randint(1, random.randint(1, HITS.get(point.split(".")[0], 1)))
        return f"{point}={action}@{hit}"

    def never_fired(self) -> list[str]:
        return [f"{layout} {point}" for layout, points in self.points.items() if self.rounds[layout]
                for point in points if not self.fires(layout, point)]


class Program:
    """A process of the program in a fleet's folder, with its failpoints."""

    def __init__(self, storm, arguments: list[str], faults: str) -> None:
        storm.serial += 1
        folder = storm.fleet.folder / "runners"
        folder.mkdir(exist_ok=True)
        self.faults, self.wakes = faults, 0.0
        self.stopped = self.was_killed = False
        self.log = folder / f"{storm.serial}.hits"
        self.log.touch()
        self.output = folder / f"{storm.serial}.log"
        with self.output.open("wb") as output:
            output.write(f"{' '.join(arguments)} {faults}\n".encode())
            output.flush()
            self.process = subprocess.Popen(
                [storm.program, *arguments], cwd=storm.fleet.folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
                env={**storm.environment(), "MUSTER_FAILPOINTS": faults, "MUSTER_FAILPOINTS_LOG": str(self.log)})
        self.began = time.monotonic()

    @property
    def hits(self) -> list[tuple[str, str]]:
        """Failpoints that fired, but for the mark."""
        lines = [line.split(" ") for line in self.log.read_text().splitlines()]
        return [(point, action) for point, action in lines if (point, action) != MARK]

    @property
    def is_at_work(self) -> bool:
        """Whether it has passed its first failpoint."""
        return self.log.stat().st_size > 0

    def send(self, number: signal.Signals) -> bool:
        if self.process.poll() is not None:
            return False
        self.process.send_signal(number)
        return True

    def is_stopped(self) -> bool:
        try:
            return Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
        except OSError:
            return False

    def end(self) -> None:
        self.send(signal.SIGKILL)
        self.process.wait()

    def wait(self, seconds: float) -> int:
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.end()
            raise Stuck(f"a process without faults did not end: {self.output}") from None


def environment(random: Random) -> dict[str, str]:
    """Short waits: a runner beats five times a second, and is taken for dead after a second or three."""
    return {**os.environ, "MUSTER_BEAT": "200", "MUSTER_SILENCE": random.choice("13"),
            "MUSTER_PAUSE": random.choice("001"), "NO_COLOR": "1"}
