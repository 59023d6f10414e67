"""Runners that fail on purpose, and what is done to them from outside."""

import signal
import time
from collections.abc import Callable
from random import Random

from fleet import Fleet
from layouts import Layout, Postgres, Server
from operators import Operators
from programs import AROUND, CANCELS, GATES, LATE, MARK, OPERATORS, Program, Stuck, Tally, environment

LONGEST_RUN = 90
# What happens in a fleet's first deploy alone.
FIRST = "ledger_upgrade"


class Runner(Program):
    """`muster apply` or `rollback` with faults; once at work it has so many seconds until it is killed from outside."""

    def __init__(self, storm: "Storm", arguments: list[str], faults: str, life: float) -> None:
        super().__init__(storm, arguments, f"{MARK[0]}={MARK[1]}@1;{faults}")
        self.life, self.dies = life, 0.0


class Storm:
    """One fleet, several deploys: faults while runners work, then clean runners, then the comparison."""

    def __init__(self, program: str, layout: Layout, server: Server | None, random: Random, tally: Tally) -> None:
        self.program, self.server, self.random, self.tally = program, server, random, tally
        self.fleet = Fleet(layout, random)
        self.operators = Operators(self)
        self.serial = 0
        self.running: list[Runner] = []
        self.beside: list[Program] = []

    def environment(self) -> dict[str, str]: return environment(self.random)

    def run(self, deploys: int, is_over: Callable[[], bool]) -> list[str]:
        for number in range(deploys):
            try:
                self.fleet.deploy()
                self.operators.back_up()
                self.rage(self.random.randint(30, 50))
                found = self.take_back(is_whole=False) if self.random.random() < 0.25 else []
                self.complete()
                found += self.fleet.violations()
                is_last = number + 1 == deploys or is_over()
                if not found and self.random.random() < 0.4:
                    found = self.take_back(is_whole=True)
                    self.complete()
                    found += self.fleet.violations()
                if not found and not is_last:
                    # What is set right now, the next deploy finds.
                    self.operators.disagree()
            except Stuck as stuck:
                found, is_last = [str(stuck)], True
            finally:
                for program in [*self.running, *self.beside]:
                    program.end()
                self.running, self.beside = [], []
            self.tally.add(self.tally.counts, "deploys")
            if found or is_last:
                return [f"deploy {self.fleet.deploys}: {violation}" for violation in found]
        return []

    def take_back(self, is_whole: bool) -> list[str]:
        """Rolls back what the last deploy brought: all of it, or what of it was done when nobody went on."""
        if not is_whole:
            self.operators.cancel_all()
            if not self.operators.has_ledger():
                return []
        self.tally.add(self.tally.counts, "rollbacks" if is_whole else "rollbacks of what was cancelled")
        names, before = self.fleet.undoable(), self.fleet.undone()
        command = ["rollback", *names, "--yes"]
        self.rage(self.random.randint(8, 16), command)
        self.complete(command)
        found = self.fleet.violations_of_undo(names, before, is_whole)
        self.fleet.forget_undone(names)
        return found

    # With faults

    def launch(self, command: list[str]) -> Runner:
        """Most runners have a failpoint that kills them; nearly all are killed from outside when it takes too long."""
        if self.tally.is_interrupted:
            raise Stuck("interrupted")
        layout, random = self.fleet.layout.name, self.random
        others = OPERATORS + CANCELS + (() if self.fleet.has_hooks else AROUND) + (() if self.fleet.has_waves else GATES)
        points = [point for point in self.tally.points[layout] if point.split(".")[0] not in others]
        if self.fleet.deploys > 1:
            points = [point for point in points if not point.startswith(FIRST)]
        elif self.serial < 2:
            # Whoever comes first makes the ledger.
            points = [point for point in points if point.startswith(FIRST)]
        faults, life = [], random.expovariate(1 / 0.4)
        if random.random() < 0.35:
            faults.append(self.tally.choose(layout, points, ("hang", "stop", "throw"), random))
            life = random.choice([life, 3.0, 60.0])
        if random.random() < 0.7:
            faults.append(self.tally.choose(layout, points, ("kill",), random))
            # A second one, for those that do not come so far; what comes late needs a runner that lives.
            life = 4.0 if faults[-1].split(".")[0] in LATE else random.choice([0.5, 1.0, 2.0])
        return Runner(self, command, ";".join(faults), life)

    def rage(self, launches: int, command: list[str] = ["apply"]) -> None:
        beside = self.random.randint(2, 5)
        looked = time.monotonic()
        while launches or self.running or self.beside:
            while launches and len(self.running) < beside:
                launches -= 1
                self.tally.add(self.tally.counts, "runners with faults")
                self.running.append(self.launch(command))
            self.disturb()
            time.sleep(0.01)
            for runner in list(self.running):
                # Once one of them says that all is done, there is nothing left to disturb.
                if self.watch(runner) in (0, 5):
                    launches = 0
            self.beside = [program for program in self.beside if self.operators.watch(program) is None]
            if launches and not self.beside and time.monotonic() - looked > 0.7:
                looked = time.monotonic()
                cancels = command != ["apply"] or self.random.random() < 0.3
                self.beside += filter(None, [self.operators.cancel_one() if cancels else self.operators.race()])

    def watch(self, runner: Runner) -> int | None:
        now = time.monotonic()
        code = runner.process.poll()
        if code is not None:
            self.running.remove(runner)
            self.count(runner, code)
        elif not runner.stopped and runner.is_stopped():
            runner.stopped, runner.wakes = True, now + self.random.choice([0.1, 0.4, 1.6])
        elif runner.stopped:
            if now > runner.wakes:
                # Half of those that were stopped wake up to find others at their work.
                runner.stopped = False
                if self.random.random() < 0.5:
                    runner.send(signal.SIGCONT)
                else:
                    self.kill(runner)
        elif not runner.dies and runner.is_at_work:
            runner.dies = now + runner.life
        elif runner.dies and now > runner.dies:
            self.kill(runner)
        elif now - runner.began > LONGEST_RUN:
            raise Stuck(f"a runner with {runner.faults or 'no faults'} did not end: {runner.output}")
        return code

    def count(self, runner: Runner, code: int) -> None:
        self.tally.add(self.tally.exits, str(code))
        hits = runner.hits
        self.tally.fire(self.fleet.layout.name, hits)
        if code != -signal.SIGKILL:
            return
        if hits and hits[-1][1] == "kill":
            self.tally.add(self.tally.counts, "killed by a failpoint")
        elif runner.was_killed and runner.is_at_work:
            self.tally.add(self.tally.counts, "killed from outside")
        else:
            self.tally.add(self.tally.counts, "killed before they began")

    def kill(self, runner: Runner) -> None:
        runner.was_killed = runner.send(signal.SIGKILL) or runner.was_killed

    def disturb(self) -> None:
        """About once a second something else comes from outside."""
        if not self.running or self.random.random() > 0.015:
            return
        runner = self.random.choice(self.running)
        kind = self.random.choices(["stop", "term", "backend", "restart"], [4, 3, 6, 0.4])[0]
        if kind == "restart" and self.server:
            self.server.restart()
        elif kind == "backend" and isinstance(self.fleet.layout, Postgres):
            if not self.fleet.layout.disturb(self.random):
                return
        elif kind == "term":
            runner.send(signal.SIGTERM)
        else:
            kind = "stop"
            runner.send(signal.SIGSTOP)
        self.tally.add(self.tally.outside, kind)

    def crashes(self) -> int: return self.server.await_up() if self.server else 0

    # Without

    def complete(self, command: list[str] = ["apply"]) -> None:
        """Clean runners until one says that all is done, or undone."""
        code, tries = None, 0
        while tries < 6:
            crashes = self.crashes()
            self.tally.add(self.tally.counts, "runners without faults")
            runner = Program(self, command, "")
            code = runner.wait(LONGEST_RUN)
            if code == 0:
                return
            # Another fleet may have crashed the server under it.
            tries += crashes == self.crashes()
            if code == 5:
                self.operators.settle()
        raise Stuck(f"six clean runners did not complete the run; the last ended with {code}: {runner.output}")
