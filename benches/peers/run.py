"""Measures tintype and its peers on the same snippets, and keeps what they drew.

Called by scripts/bench-peers, which has built and installed everything that is run here. Every figure of a peer is taken right
beside one of tintype, the two in turn going first, so that a noisy machine is noisy for both; ratios are of such pairs. Two
ways: warm in one process that lives on (through the library, milliseconds an image), and a process for one picture (from the
command's start to the finished file). CPU time is the kernel's for the whole process, all threads; the standard library is enough.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "benches/peers"
PEERS = ROOT / "target/peers"
OUT = ROOT / "target/bench/peers"
STOPWATCH = PEERS / "build/release/stopwatch"
TURN = 0.1  # seconds that one turn of a warm process should last at least
MOST = 50  # pictures a turn
WARM_UP = 1.0  # seconds

SNIPPETS = {
    "elixir-8.ex": "Elixir, 8 lines",
    "rust-25.rs": "Rust, 25 lines",
    "typescript-60.ts": "TypeScript, 60 lines",
    "python-200.py": "Python, 200 lines",
    "cjk-emoji.js": "CJK and emoji, 13 lines",
}
ENV = {**os.environ, "HOME": str(PEERS / "home"), "TINTYPE_ASSETS": f"{ROOT / 'assets'}/", "NODE_ENV": "production"}
WORDS = ["--title", "What the code says", "--author", "Ada Lovelace", "--site", "blog.example"]


@dataclass
class Peer:
    """One renderer: how its warm process starts, and the command that makes one picture."""

    name: str
    slug: str
    warm: list[str]
    once: list[str]  # {file} and {out} are filled in
    more_fonts: list[str] = field(default_factory=list)  # appended where a snippet is not ASCII
    child: subprocess.Popen | None = None
    drawn: int = 0

    def start(self) -> None:
        log = (OUT / f"{self.slug}.log").open("w")  # silicon writes a line for every character without a glyph
        self.child = subprocess.Popen(self.warm, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=ENV, text=True)

    def draw(self, count: int, path: Path, out: Path | None = None) -> tuple[float, float, list[int]]:
        """Wall and CPU milliseconds an image, and bytes, width and height of the last."""
        pid = self.child.pid
        clock = (~pid << 3) | 2  # the kernel's name for the CPU clock of a process
        cpu, wall = time.clock_gettime_ns(clock), time.perf_counter_ns()
        self.child.stdin.write(f"{count} {path}{f' {out}' if out else ''}\n")
        self.child.stdin.flush()
        reply = self.child.stdout.readline()
        wall, cpu = time.perf_counter_ns() - wall, time.clock_gettime_ns(clock) - cpu
        if not reply:
            raise RuntimeError(f"{self.name} ended while drawing {path.name}")
        self.drawn += count
        return wall / 1e6 / count, cpu / 1e6 / count, [int(word) for word in reply.split()]

    def resident(self) -> float:
        """Megabytes of memory that the warm process holds."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def installed(self) -> bool:
        return Path(self.once[0]).exists() or self.once[0] == "node"

    def process(self, path: Path) -> tuple[float, float, float]:
        """Wall and CPU milliseconds and the peak in megabytes of one process that draws one picture."""
        out = OUT / f"{path.stem}.once.{self.slug}.png"
        fonts = [] if path.read_text().isascii() else self.more_fonts
        command = [word.format(file=path, out=out) for word in [*self.once, *fonts]]
        out.unlink(missing_ok=True)
        told = subprocess.run([STOPWATCH, *command], env=ENV, text=True, capture_output=True)
        if told.returncode or not told.stdout.endswith(" 0\n") or not out.exists():
            raise RuntimeError(f"{' '.join(command)} failed: {told.stdout}{told.stderr}")
        wall, cpu, peak, _ = map(int, told.stdout.split())
        return wall / 1e3, cpu / 1e3, peak / 1024


def peers() -> list[Peer]:
    build, programs, node = PEERS / "build/release", PEERS / "bin", ["node", f"{PEERS}/node/run.mjs"]
    release = ROOT / "target/release"
    cjk = ["--font", "Hack=26; Noto Sans CJK JP=26; Noto Color Emoji=26"]
    return [
        Peer("tintype", "tintype", [f"{release}/examples/warm"], [f"{release}/tintype", "render", "{file}", *WORDS, "-o", "{out}"]),
        Peer("takumi 2.16 + shiki 4.6", "takumi", [*node, "takumi"], [*node, "takumi", "{file}", "{out}"]),
        Peer("satori 0.63 + resvg-js 2.6", "satori", [*node, "satori"], [*node, "satori", "{file}", "{out}"]),
        Peer("the same without a shadow", "satori-flat", [*node, "satori-flat"], [*node, "satori-flat", "{file}", "{out}"]),
        Peer("codesnap 0.14, × 3 (its default)", "codesnap-3", [f"{build}/warm-codesnap", "3"],
             [f"{programs}/codesnap", "--silent", "-f", "{file}", "-o", "{out}"]),
        Peer("codesnap 0.14, × 1", "codesnap-1", [f"{build}/warm-codesnap", "1"],
             [f"{programs}/codesnap", "--silent", "--scale-factor", "1", "-f", "{file}", "-o", "{out}"]),
        Peer("silicon 0.5", "silicon", [f"{build}/warm-silicon"], [f"{programs}/silicon", "{file}", "-o", "{out}"], cjk),
    ]


class Samples:
    """Figures of one case and metric, gathered round by round."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str, str], list[float]] = {}

    def add(self, case: str, metric: str, unit: str, value: float) -> None:
        self.values.setdefault((case, metric, unit), []).append(value)

    def rows(self) -> list[dict]:
        """Medians, with the quartiles as low and high."""
        rows = []
        for (case, metric, unit), values in self.values.items():
            low, _, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
            row = {"case": case, "metric": metric, "value": round(statistics.median(values), 3), "unit": unit}
            if len(values) > 1:
                row |= {"low": round(low, 3), "high": round(high, 3)}
            rows.append(row | {"goal": None, "met": None})
        return rows


def calibrated(peer: Peer, path: Path) -> int:
    """Warms a process up on a snippet, and says how many pictures fill a turn."""
    start, spent = time.perf_counter(), []
    while time.perf_counter() - start < WARM_UP or len(spent) < 2:
        spent.append(peer.draw(1, path)[0])
    return max(1, min(MOST, round(TURN * 1e3 / statistics.median(spent))))


def measure(all_peers: list[Peer], rounds: int) -> Samples:
    ours, others = all_peers[0], all_peers[1:]
    samples = Samples()
    for name, label in SNIPPETS.items():
        path = HERE / "snippets" / name
        counts = {peer.slug: calibrated(peer, path) for peer in all_peers}
        for turn in range(rounds):
            tell(f"{label}: round {turn + 1} of {rounds}")
            for peer in others:
                pair = [ours, peer] if turn % 2 == 0 else [peer, ours]
                warm = {each.slug: each.draw(counts[each.slug], path)[:2] for each in pair}
                once = {each.slug: each.process(path) for each in pair} if peer.installed() else {}
                record(samples, label, pair, warm, once)
                for at, metric in enumerate(["warm wall", "warm CPU"]):
                    samples.add(f"{label} · {peer.name}", f"{metric}, times tintype", "×", warm[peer.slug][at] / warm[ours.slug][at])
                for at, metric in enumerate(["one process, wall", "one process, CPU"] if once else []):
                    samples.add(f"{label} · {peer.name}", f"{metric}, times tintype", "×", once[peer.slug][at] / once[ours.slug][at])
        for peer in all_peers:
            _, _, (size, width, height) = peer.draw(1, path, OUT / f"{path.stem}.{peer.slug}.png")
            samples.add(f"{label} · {peer.name}", "picture", "KB", size / 1000)
            samples.add(f"{label} · {peer.name}", "pixels", "Mpx", width * height / 1e6)
    for peer in all_peers:
        samples.add(f"A warm process at the end of the run · {peer.name}", "pictures drawn", "", peer.drawn)
        samples.add(f"A warm process at the end of the run · {peer.name}", "resident memory", "MB", peer.resident())
    return samples


def record(samples: Samples, label: str, pair: list[Peer], warm: dict, once: dict) -> None:
    for each in pair:
        case = f"{label} · {each.name}"
        for metric, value in zip(["warm wall", "warm CPU"], warm[each.slug]):
            samples.add(case, metric, "ms", value)
        units = ["ms", "ms", "MB"]
        for metric, unit, value in zip(["one process, wall", "one process, CPU", "peak memory"], units, once.get(each.slug, ())):
            samples.add(case, metric, unit, value)


def look(all_peers: list[Peer]) -> None:
    """Draws the snippets of the folder `poor` with every peer, for people to look at."""
    for path in sorted((HERE / "poor").iterdir()):
        for peer in all_peers:
            try:
                peer.draw(1, path, OUT / f"{path.stem}.{peer.slug}.png")
            except RuntimeError as error:
                tell(str(error))
                peer.start()


def machine() -> str:
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    kernel = re.match(r"[\d.]+", platform.release())
    return f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores, {platform.system()} {kernel[0] if kernel else ''}".strip()


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench-peers")
    parser.add_argument("--rounds", type=int, default=9, help="pairs of every peer and snippet (default: 9)")
    parser.add_argument("--only", default="", help="peers to measure, by their short names, with commas between them")
    parser.add_argument("--look-only", action="store_true", help="draw the pictures and measure nothing")
    flags = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    wanted = {"tintype", *flags.only.split(",")}
    all_peers = [peer for peer in peers() if not flags.only or peer.slug in wanted]
    for peer in all_peers:
        peer.start()
    look(all_peers)
    if not flags.look_only:
        rows = measure(all_peers, flags.rounds).rows()
        report = {"date": datetime.date.today().isoformat(), "machine": machine(), "rows": rows}
        (OUT.parent / "peers.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    for peer in all_peers:
        peer.child.stdin.close()
        peer.child.wait()
    if not flags.look_only:
        subprocess.run([ROOT / "scripts/benchmarks-doc", "--print", "peers"], check=True)
    tell(f"pictures: {OUT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
