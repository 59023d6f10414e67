"""What people do beside the runners: they settle what is unknown, cancel, and set right what was restored, renamed or
changed."""

import sqlite3

import libpq
from programs import CANCELS, OPERATORS, Program, Stuck

# 0 done; 4 nothing to do (any more); 75 somebody is at work, or no server.
EXITS = (0, 4, 75, -9)


class Operators:
    """`muster resolve` and `muster ledger repair`, killed at their own writes and called again."""

    def __init__(self, storm) -> None:
        self.storm, self.fleet, self.random, self.tally = storm, storm.fleet, storm.random, storm.tally
        self.copied: str | None = None
        self.kept: set[tuple[str, str]] = set()

    def faults(self, tries: int, kinds: tuple[str, ...] = OPERATORS) -> str:
        """Less with every try, or nobody would ever come to an end."""
        layout = self.fleet.layout.name
        points = [point for point in self.tally.points[layout] if point.split(".")[0] in kinds]
        if tries > 3 or self.random.random() < 0.2:
            return ""
        if self.fleet.postgres and self.random.random() < 0.3:
            return f"message.{self.random.choice(['before', 'after'])}=kill@{self.random.randint(2, 20)}"
        return self.tally.choose(layout, points, ("kill", "kill", "kill", "throw", "hang"), self.random)

    def call(self, arguments: list[str], tries: int) -> Program:
        self.storm.crashes()
        self.tally.add(self.tally.operators, "called")
        return Program(self.storm, [*arguments, "--lock-wait", "4s", "--reason", "the witness was looked at"],
                       self.faults(tries))

    def watch(self, program: Program) -> int | None:
        """Counts an end, and says how it was; nil while it goes on."""
        code = program.process.poll()
        if code is None:
            return None
        self.tally.fire(self.fleet.layout.name, program.hits)
        if code == -9:
            self.tally.add(self.tally.operators, "killed")
        elif code not in EXITS and "throw" not in program.faults:
            raise Stuck(f"it ends with {code}: {program.output}")
        return code

    def finish(self, program: Program) -> int:
        program.wait(60)
        return self.watch(program) or 0

    # Cancel

    def open_runs(self) -> list[str]:
        try:
            return [row[0] or "" for row in self.fleet.layout.ask("select id from {runs} where status <> 'completed'")]
        except (libpq.Failure, sqlite3.Error):
            # No ledger yet, or the server ends questions for the sake of the experiment.
            return []

    def has_ledger(self) -> bool:
        return bool(self.fleet.layout.tables("runs"))

    def cancel(self, run: str, tenants: list[str], tries: int) -> Program:
        self.storm.crashes()
        self.tally.add(self.tally.operators, "cancel tenants" if tenants else "cancel a run")
        named = [word for tenant in tenants for word in ("--tenant", tenant)]
        point = "cancel_tenants" if tenants else "cancel_run"
        return Program(self.storm, ["cancel", run, *named, "--reason", "as tested", "--yes"],
                       self.faults(tries, tuple(name for name in CANCELS if name == point)))

    def cancel_one(self) -> Program | None:
        """Cancels a run that is under way, or rather some tenants of it."""
        runs = self.open_runs()
        if not runs:
            return None
        count = self.random.randint(1, max(1, len(self.fleet.present) // 2))
        tenants = self.random.sample(self.fleet.present, count) if self.random.random() < 0.7 else []
        return self.cancel(runs[0], tenants, self.random.randint(0, 4))

    def cancel_all(self) -> None:
        """Nobody works any more: ends what is open."""
        for tries in range(8):
            runs = self.open_runs()
            if not runs:
                return
            for run in runs:
                self.finish(self.cancel(run, [], tries))
        raise Stuck(f"nobody can cancel {self.open_runs()}")

    # Resolve

    def resolve(self, tenant: str, name: str, is_there: bool, tries: int) -> Program:
        return self.call(["resolve", name, "--tenant", tenant, "--applied" if is_there else "--retry"], tries)

    def race(self) -> Program | None:
        """Settles one execution while runners are at work, if there is one whose end is certain: a runner that is
        gone, and no backend that goes on for it."""
        layout = self.fleet.layout
        try:
            rows = layout.ask("select tenant, runbook, runner from {executions} where state = 'unknown'")
            rows = [row for row in rows if row[0] in self.fleet.present and not layout.has_backend(row[2] or "")]
            if not rows:
                return None
            tenant, name, _ = self.random.choice(rows)
            is_there = (tenant, name) in set(layout.effects([tenant or ""]))
        except (libpq.Failure, sqlite3.Error):
            # No ledger yet, or the server ends questions for the sake of the experiment.
            return None
        self.tally.add(self.tally.operators, "resolve beside runners")
        return self.resolve(tenant or "", name or "", is_there, self.random.randint(0, 4))

    def settle(self) -> None:
        """Does what a person would: looks at the tenants, then says what is true of them, until nothing is unknown."""
        for tries in range(8):
            unknown = self.fleet.unknown()
            if not unknown:
                return
            if not tries:
                self.tally.add(self.tally.operators, "executions to settle", len(unknown))
            for tenant, name, is_there in unknown:
                self.finish(self.resolve(tenant, name, is_there, tries))
        raise Stuck(f"nobody can settle {self.fleet.unknown()}")

    # Repair

    def back_up(self) -> None:
        """Before a deploy: a copy of one tenant, which may be put back after it."""
        if self.fleet.has_receipts and self.random.random() < 0.6:
            self.copied, self.kept = self.random.choice(self.fleet.present), set(self.fleet.finished)
            self.fleet.layout.back_up(self.copied)

    def disagree(self) -> None:
        """After a deploy: puts the copy back, renames a tenant, or changes a body that is done; then sets it right."""
        tenant, self.copied = self.copied, None
        if tenant:
            self.fleet.layout.restore(tenant)
            self.fleet.forget(tenant, self.kept)
            self.repair("--forget-missing", tenant)
        elif self.fleet.has_receipts and self.random.random() < 0.5:
            tenant = self.random.choice(self.fleet.present)
            self.fleet.layout.rename_receipts(tenant)
            self.repair("--adopt", tenant)
        else:
            self.fleet.change_a_body()
            self.repair("--accept-checksum", None)

    def repair(self, action: str, tenant: str | None) -> None:
        self.tally.add(self.tally.operators, f"ledger repair {action}")
        only = ["--tenant", tenant] if tenant else []
        looked = Program(self.storm, ["ledger", "repair", *only], "")
        if looked.wait(60) not in (4, 75):
            raise Stuck(f"a disagreement was not seen: {looked.output}")
        for tries in range(8):
            program = self.call(["ledger", "repair", action, *only], tries)
            if self.finish(program) == 0:
                return
        raise Stuck(f"nobody can set it right: {program.output}")
