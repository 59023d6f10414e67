"""The command behind ci/chaos; see there."""

import argparse
import itertools
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random, SystemRandom

from layouts import LAYOUTS, Postgres, Server
from programs import ACTIONS, Tally, failpoints
from storms import Storm

DEPLOYS = 5


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ci/chaos", allow_abbrev=False)
    parser.add_argument("--minutes", type=float, default=10, help="how long (default 10)")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000), help="default: random")
    parser.add_argument("--layout", choices=[*LAYOUTS, "all"], default="all")
    parser.add_argument("--kills", type=int, default=0, help="go on, past the time, until so many runners were killed")
    parser.add_argument("--round", type=int, help="this round of the seed alone")
    parser.add_argument("--fleets", type=int, default=4, help="how many fleets at once (default 4)")
    parser.add_argument("--keep", action="store_true", help="keep every fleet's folder")
    parser.add_argument("--partial", action="store_true", help="do not demand that every failpoint fired")
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--source", type=Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def listed(counter: dict[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counter.items())) or "nothing"


def summary(tally: Tally, seconds: float) -> None:
    print(f"\n{sum(tally.rounds.values())} rounds ({listed(tally.rounds)}), {seconds:.0f} s: {listed(tally.counts)}")
    print(f"{tally.kills} runners killed at work ({tally.kills / seconds * 60:.0f} a minute); "
          f"{sum(tally.fired.values())} failpoints fired")
    print(f"besides, from outside: {listed(tally.outside)}")
    print(f"ends of runners with faults: {listed(tally.exits)}")
    print(f"cancel, resolve and ledger repair: {listed(tally.operators)}")
    print(f"\n{'failpoint':26}" + "".join(f"{kind:>7}" for kind in ACTIONS)
          + "".join(f"{layout:>11}" for layout in tally.points))
    for point in dict.fromkeys(point for points in tally.points.values() for point in points):
        counts = [sum(tally.fired[layout, point, kind] for layout in tally.points) for kind in ACTIONS]
        layouts = [str(tally.fires(layout, point)) if point in points else "-" for layout, points in tally.points.items()]
        print(f"{point:26}" + "".join(f"{count:7}" for count in counts) + "".join(f"{text:>11}" for text in layouts))


class Chaos:
    """Rounds, several at once, until the time is over."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.layouts = list(LAYOUTS) if given.layout == "all" else [given.layout]
        self.tally = Tally(failpoints(given.source), self.layouts)
        self.server = Server() if any(issubclass(LAYOUTS[name], Postgres) for name in self.layouts) else None
        self.home = Path(tempfile.mkdtemp(prefix="muster-chaos."))
        self.began = time.monotonic()
        self.numbers, self.lock = itertools.count(given.round or 1), threading.Lock()
        self.violations: list[str] = []
        self.has_ended = False

    @property
    def seconds(self) -> float: return time.monotonic() - self.began

    def run(self) -> None:
        fleets = 1 if self.given.round else self.given.fleets
        try:
            with ThreadPoolExecutor(fleets) as pool:
                running = [pool.submit(self.rounds) for _ in range(fleets)]
                try:
                    for ended in running:
                        ended.result()
                except KeyboardInterrupt:
                    self.tally.is_interrupted = True
                    raise
        finally:
            if self.server:
                self.server.stop()

    def rounds(self) -> None:
        try:
            while not self.is_over():
                self.round(next(self.numbers))
                self.has_ended = self.has_ended or bool(self.given.round)
        except BaseException:
            # The others end with their deploys.
            self.has_ended = True
            raise

    def is_over(self) -> bool:
        if self.given.round:
            return self.has_ended
        is_late = self.seconds > self.given.minutes * 60 and self.tally.kills >= self.given.kills
        return self.has_ended or is_late or len(self.violations) > 50

    def round(self, number: int) -> None:
        random = Random(f"{self.given.seed}/{number}")
        name = self.layouts[number % len(self.layouts)]
        folder = self.home / f"round-{number}"
        folder.mkdir()
        layout = LAYOUTS[name](folder, number, self.server)
        storm = Storm(self.given.program, layout, self.server if layout.has_server else None, random, self.tally)
        found = storm.run(DEPLOYS, self.is_over)
        with self.lock:
            self.tally.rounds[name] += 1
            for violation in found:
                print(f"VIOLATION round {number} ({name}): {violation}")
            if found:
                print(f"  ci/chaos --seed {self.given.seed} --layout {self.given.layout} --round {number}; kept: {folder}")
                self.violations += found
            print(f"round {number}: {name}, {len(storm.fleet.present)} tenants, {self.tally.kills} killed so far, "
                  f"{self.seconds:.0f} s", flush=True)
        if not found and not self.given.keep:
            layout.remove()
            shutil.rmtree(folder)


def main() -> int:
    given = arguments()
    chaos = Chaos(given)
    print(f"ci/chaos --seed {given.seed} --layout {given.layout}; fleets in {chaos.home}", flush=True)
    chaos.run()
    summary(chaos.tally, chaos.seconds)
    never = [] if given.partial or given.round else chaos.tally.never_fired()
    if never:
        print(f"\nnever fired: {', '.join(never)}; give it more time")
    found = len(chaos.violations)
    print(f"\n{found} violations" + (f"; kept: {chaos.home}" if found else "") + f"; seed {given.seed}")
    if not found and not given.keep:
        shutil.rmtree(chaos.home)
    return 1 if found or never else 0


sys.exit(main())
