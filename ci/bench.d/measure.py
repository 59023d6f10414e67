"""Runs one command and says what it cost; runs several in interleaved rounds and says how they compare."""
import dataclasses, os, statistics, subprocess, tempfile, time


@dataclasses.dataclass
class Sample:
    seconds: float
    cpu: float          # seconds, the command with all its children
    memory: float       # MiB, the largest of its processes
    status: int
    output: str


def run(argv, env=None):
    """Runs a command to its end. GNU time stands in between: what the kernel says of a child's memory begins with that of
    who started it."""
    with tempfile.NamedTemporaryFile("r") as notes:
        began = time.monotonic()
        done = subprocess.run(
            ["/usr/bin/time", "-q", "-f", "%U %S %M", "-o", notes.name, *[str(word) for word in argv]],
            env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        seconds = time.monotonic() - began
        user, system, memory = notes.read().split()
    return Sample(seconds, float(user) + float(system), int(memory) / 1024, done.returncode,
                  done.stdout.decode(errors="replace"))


def median(samples, field):
    return statistics.median(getattr(sample, field) for sample in samples)


class Table:
    """Rows of one work, printed as Markdown. Ratios are of medians, to the row that is named."""

    def __init__(self, title, reference, tenants=None):
        self.title, self.reference, self.tenants = title, reference, tenants
        self.samples, self.wrong = {}, {}

    def add(self, name, sample, problem=None):
        self.samples.setdefault(name, []).append(sample)
        if sample.status != 0:
            problem = f"exit {sample.status}: {sample.output.strip()[-300:]}"
        if problem:
            self.wrong.setdefault(name, problem)

    def ratio(self, name):
        if self.reference not in self.samples:
            return None
        return median(self.samples[name], "seconds") / median(self.samples[self.reference], "seconds")

    def print(self):
        rounds = max(len(samples) for samples in self.samples.values())
        print(f"\n### {self.title}\n\n{rounds} rounds, interleaved; ratios to `{self.reference}`\n")
        print("| | median s | min | max | ms/tenant | ratio | CPU s | MiB | |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|---|")
        for name, samples in self.samples.items():
            seconds = [sample.seconds for sample in samples]
            middle = statistics.median(seconds)
            each = f"{middle / self.tenants * 1000:.3f}" if self.tenants else ""
            ratio = self.ratio(name)
            print(f"| `{name}` | {middle:.3f} | {min(seconds):.3f} | {max(seconds):.3f} | {each} | "
                  f"{'' if ratio is None else f'{ratio:.2f}'} | {median(samples, 'cpu'):.2f} | "
                  f"{max(sample.memory for sample in samples):.1f} | {'WRONG' if name in self.wrong else 'right'} |")
        for name, problem in self.wrong.items():
            print(f"\n`{name}`: {problem}")
        print(flush=True)
        return not self.wrong
