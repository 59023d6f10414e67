"""The command behind ci/chaos; see there."""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from random import Random, SystemRandom

from layouts import LAYOUTS, Postgres, Server
from runners import ACTIONS, Storm, Tally, failpoints

DEPLOYS = 4


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ci/chaos", allow_abbrev=False)
    parser.add_argument("--minutes", type=float, default=10, help="how long (default 10)")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000), help="default: random")
    parser.add_argument("--layout", choices=[*LAYOUTS, "all"], default="all")
    parser.add_argument("--kills", type=int, default=0, help="go on, past the time, until so many runners were killed")
    parser.add_argument("--round", type=int, help="this round of the seed alone")
    parser.add_argument("--keep", action="store_true", help="keep every fleet's folder")
    parser.add_argument("--partial", action="store_true", help="do not demand that every failpoint fired")
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--source", type=Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def summary(tally: Tally, seconds: float) -> None:
    print(f"\n{sum(tally.rounds.values())} rounds ({', '.join(f'{k} {v}' for k, v in sorted(tally.rounds.items()))}), "
          f"{tally.deploys} deploys, {tally.starts} runners with faults, {tally.clean_starts} without, {seconds:.0f} s")
    print(f"{tally.kills} runners killed ({tally.kills / seconds * 60:.0f} a minute); "
          f"{sum(tally.fired.values())} failpoints fired")
    print("from outside: " + (", ".join(f"{kind} {count}" for kind, count in sorted(tally.outside.items())) or "nothing"))
    print("ends of runners with faults: " + ", ".join(f"{code}: {n}" for code, n in sorted(tally.exits.items())))
    print(f"executions that a person had to settle: {tally.unknown}")
    kinds = sorted(set(ACTIONS))
    print(f"\n{'failpoint':26}" + "".join(f"{kind:>7}" for kind in kinds))
    for point in dict.fromkeys(point for points in tally.points.values() for point in points):
        counts = [sum(tally.fired[layout, point, kind] for layout in tally.points) for kind in kinds]
        print(f"{point:26}" + "".join(f"{count:7}" for count in counts))


def main() -> int:
    given = arguments()
    layouts = list(LAYOUTS) if given.layout == "all" else [given.layout]
    tally = Tally(failpoints(given.source), layouts)
    server = Server() if any(issubclass(LAYOUTS[name], Postgres) for name in layouts) else None
    home = Path(tempfile.mkdtemp(prefix="muster-chaos."))
    print(f"ci/chaos --seed {given.seed} --layout {given.layout}; fleets in {home}", flush=True)
    began = time.monotonic()
    violations: list[str] = []
    number = given.round or 1
    try:
        while True:
            random = Random(f"{given.seed}/{number}")
            name = layouts[number % len(layouts)]
            folder = home / f"round-{number}"
            folder.mkdir()
            layout = LAYOUTS[name](folder, number, server)
            storm = Storm(given.program, layout, server if layout.has_server else None, random, tally)
            found = storm.run(DEPLOYS)
            tally.rounds[name] += 1
            for violation in found:
                print(f"VIOLATION round {number} ({name}): {violation}", flush=True)
            if found:
                print(f"  ci/chaos --seed {given.seed} --layout {given.layout} --round {number}; kept: {folder}")
                violations += found
            elif not given.keep:
                layout.remove()
                shutil.rmtree(folder)
            seconds = time.monotonic() - began
            print(f"round {number}: {name}, {len(storm.fleet.present)} tenants, {tally.kills} killed so far, {seconds:.0f} s",
                  flush=True)
            number += 1
            if given.round or seconds > given.minutes * 60 and tally.kills >= given.kills or len(violations) > 50:
                break
    finally:
        if server:
            server.stop()
    summary(tally, time.monotonic() - began)
    never = [] if given.partial or given.round else tally.never_fired()
    if never:
        print(f"\nnever fired: {', '.join(never)}; give it more time")
    print(f"\n{len(violations)} violations" + (f"; kept: {home}" if violations else "") + f"; seed {given.seed}")
    if not violations and not given.keep:
        shutil.rmtree(home)
    return 1 if violations or never else 0


sys.exit(main())
