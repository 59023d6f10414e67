"""Runners that fail on purpose, and what is done to them from outside."""

import os
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from random import Random

from fleet import Fleet
from layouts import Layout, Postgres, Server

# At which hit a failpoint may fire, at most; 1 where nothing is said.
HITS = {"message": 80, "script_message": 8, "claim_jobs": 2, "write_results": 3, "beat": 2, "begin_attempt": 4,
        "direct_statement": 6, "hook": 3, "end_attempt": 4, "sqlite_begin": 10, "sqlite_receipt": 10,
        "sqlite_commit": 10, "receipts_table": 3}
# In which layouts a failpoint is, where not in all.
ONLY = {"message": ("schemas", "databases"), "script_message": ("schemas", "databases"),
        "receipts_table": ("databases",), "sqlite_begin": ("sqlite",), "sqlite_receipt": ("sqlite",),
        "sqlite_commit": ("sqlite",)}
# Where nothing can fail by an error: what was done is done.
SILENT = ("hook.before", "hook.after", "direct_statement.after")
# What happens in a fleet's first deploy alone.
FIRST = ("ledger_upgrade", "receipts_table")
ACTIONS = ("throw", "hang", "stop", "kill", "kill", "kill", "kill", "kill")
LONGEST_RUN = 90


def failpoints(source: Path) -> list[str]:
    """The names in the program's own list, each with both moments."""
    names = []
    for name, text in re.findall(r"^    case (\w+)(?: = \"(\w+)\")?$", source.read_text(), re.MULTILINE):
        names += [f"{text or name}.{moment}" for moment in ("before", "after")]
    return names


class Stuck(Exception):
    """A clean runner that does not end."""


class Tally:
    """What was done, over all rounds."""

    def __init__(self, points: list[str], layouts: list[str]) -> None:
        self.points = {layout: [point for point in points if layout in ONLY.get(point.split(".")[0], (layout,))]
                       for layout in layouts}
        self.fired: Counter[tuple[str, str, str]] = Counter()
        self.outside: Counter[str] = Counter()
        self.exits: Counter[str] = Counter()
        self.rounds: Counter[str] = Counter()
        self.deploys = self.starts = self.kills = self.unknown = self.clean_starts = 0

    def never_fired(self) -> list[str]:
        return [f"{layout} {point}" for layout, points in self.points.items() if self.rounds[layout]
                for point in points if not any(self.fired[layout, point, action] for action in set(ACTIONS))]


class Runner:
    def __init__(self, storm: "Storm", faults: str) -> None:
        storm.serial += 1
        folder = storm.fleet.folder / "runners"
        folder.mkdir(exist_ok=True)
        self.faults, self.stopped, self.wakes = faults, False, 0.0
        self.hits = folder / f"{storm.serial}.hits"
        self.hits.touch()
        self.output = folder / f"{storm.serial}.log"
        with self.output.open("wb") as output:
            output.write(f"{faults}\n".encode())
            output.flush()
            self.process = subprocess.Popen(
                [storm.program, "apply"], cwd=storm.fleet.folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
                env={**storm.environment(), "MUSTER_FAILPOINTS": faults, "MUSTER_FAILPOINTS_LOG": str(self.hits)})
        self.began = time.monotonic()

    def send(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)

    def is_stopped(self) -> bool:
        try:
            return Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
        except OSError:
            return False

    def end(self) -> None:
        self.send(signal.SIGKILL)
        self.process.wait()


class Storm:
    """One fleet, several deploys: faults while runners work, then clean runners, then the comparison."""

    def __init__(self, program: str, layout: Layout, server: Server | None, random: Random, tally: Tally) -> None:
        self.program, self.server, self.random, self.tally = program, server, random, tally
        # Without `resolve` nobody can settle what a person must decide.
        can_resolve = subprocess.run([program, "resolve", "--help"], capture_output=True, check=False).returncode == 0
        self.fleet = Fleet(layout, random, has_once=can_resolve)
        self.serial = 0
        self.running: list[Runner] = []

    def run(self, deploys: int) -> list[str]:
        for _ in range(deploys):
            self.fleet.deploy()
            try:
                self.rage(self.random.randint(10, 24))
                self.complete()
                found = self.fleet.violations()
            except Stuck as stuck:
                found = [str(stuck)]
            finally:
                for runner in self.running:
                    runner.end()
                self.running = []
            self.tally.deploys += 1
            if found:
                return [f"deploy {self.fleet.deploys}: {violation}" for violation in found]
        return []

    def environment(self) -> dict[str, str]:
        """Short waits: a runner beats five times a second, and is taken for dead after a second or three."""
        return {**os.environ, "MUSTER_BEAT": "200", "MUSTER_SILENCE": self.random.choice("13"),
                "MUSTER_PAUSE": self.random.choice("01"), "NO_COLOR": "1"}

    # With faults

    def faults(self) -> str:
        """One to three failpoints, those that fired least above the others."""
        layout = self.fleet.layout.name
        points = [point for point in self.tally.points[layout]
                  if self.fleet.deploys == 1 or point.split(".")[0] not in FIRST]
        if self.serial < 2:
            # Whoever comes first makes the tables.
            points = [point for point in points if point.split(".")[0] in FIRST]
        fired = {point: sum(self.tally.fired[layout, point, action] for action in set(ACTIONS)) for point in points}
        chosen = []
        for _ in range(self.random.choice([1, 1, 2, 3])):
            actions = [(point, action) for point in points for action in ACTIONS
                       if action != "throw" or point not in SILENT]
            weights = [1 / (1 + fired[pair[0]]) ** 2 / (1 + self.tally.fired[layout, *pair]) for pair in actions]
            point, action = self.random.choices(actions, weights)[0]
            if action == "hang":
                action = f"hang:{self.random.choice([50, 300, 1500])}"
            chosen.append(f"{point}={action}@{self.hit(point)}")
        return ";".join(chosen)

    def hit(self, point: str) -> int:
        """Rather an early one: many runners do not come far."""
        return self.random.randint(1, self.random.randint(1, HITS.get(point.split(".")[0], 1)))

    def rage(self, launches: int) -> None:
        beside = self.random.randint(1, 4)
        while launches or self.running:
            while launches and len(self.running) < beside:
                launches -= 1
                self.tally.starts += 1
                self.running.append(Runner(self, self.faults()))
            self.disturb()
            time.sleep(0.01)
            for runner in list(self.running):
                # Once one of them says that all is done, there is nothing left to disturb.
                if self.watch(runner) in (0, 5):
                    launches = 0

    def watch(self, runner: Runner) -> int | None:
        now = time.monotonic()
        code = runner.process.poll()
        if code is not None:
            self.running.remove(runner)
            self.tally.exits[str(code)] += 1
            self.tally.kills += code == -signal.SIGKILL
            for line in runner.hits.read_text().splitlines():
                point, action = line.split(" ")
                self.tally.fired[self.fleet.layout.name, point, action.split(":")[0]] += 1
        elif not runner.stopped and runner.is_stopped():
            runner.stopped, runner.wakes = True, now + self.random.choice([0.1, 0.5, 1.6])
        elif runner.stopped and now > runner.wakes:
            # Half of those that were stopped wake up to find others at their work.
            runner.send(signal.SIGCONT if self.random.random() < 0.5 else signal.SIGKILL)
            runner.stopped = False
        elif now - runner.began > LONGEST_RUN:
            raise Stuck(f"a runner with {runner.faults or 'no faults'} did not end: {runner.output}")
        return code

    def disturb(self) -> None:
        """About once a second something comes from outside."""
        if not self.running or self.random.random() > 0.02:
            return
        runner = self.random.choice(self.running)
        kind = self.random.choices(["kill", "stop", "term", "backend", "restart"], [10, 3, 2, 6, 0.6])[0]
        if kind in ("backend", "restart") and not self.server:
            kind = "kill"
        if kind == "kill":
            runner.send(signal.SIGKILL)
        elif kind == "stop":
            runner.send(signal.SIGSTOP)
        elif kind == "term":
            runner.send(signal.SIGTERM)
        elif kind == "restart" and self.server:
            self.server.restart()
        elif isinstance(self.fleet.layout, Postgres) and not self.fleet.layout.disturb(self.random):
            return
        self.tally.outside[kind] += 1

    # Without

    def complete(self) -> None:
        """Clean runners until one says that all is done."""
        code = None
        for _ in range(6):
            self.tally.clean_starts += 1
            runner = Runner(self, "")
            try:
                code = runner.process.wait(LONGEST_RUN)
            except subprocess.TimeoutExpired:
                runner.end()
                raise Stuck(f"a clean runner did not end: {runner.output}") from None
            if code == 0:
                return
            if code == 5:
                self.settle()
        raise Stuck(f"six clean runners did not complete the run; the last ended with {code}: {runner.output}")

    def settle(self) -> None:
        """Does what a person would: looks at the tenant, then says what is true of it."""
        for tenant, name, is_there in self.fleet.unknown():
            self.tally.unknown += 1
            answer = subprocess.run(
                [self.program, "resolve", name, "--tenant", tenant, "--applied" if is_there else "--retry", "--reason",
                 "the witness was looked at"], cwd=self.fleet.folder, env=self.environment(), capture_output=True,
                text=True, check=False)
            if answer.returncode:
                raise Stuck(f"muster resolve {name} --tenant {tenant} ends with {answer.returncode}: {answer.stdout}{answer.stderr}")
