# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line of tests/fuzz/run."""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from machines import build, linux
from machines.say import Failure, main, say

from fuzz import seeds

DESCRIPTION = """Give fuzzers, one after the other, inputs that libFuzzer makes, until something
that must hold does not hold. What leads to new branches is kept in
build-fuzz/inputs, what was found in build-fuzz/findings: minimise it (the
fuzzer's -minimize_crash=1), repair the cause, and put it into
tests/fuzz/regressions/NAME under a name that says what it shows."""
HERE = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("fuzz-") for path in HERE.glob("fuzz-*.c"))
LARGEST = {"config": 32768, "init-plan": 8192, "process": 8192, "resources": 8192, "seccomp": 4096}
SMALL = 1024  # all others
# A length in an input is no reason for so much memory or time.
LIMITS = ["-timeout=20", "-rss_limit_mb=1024", "-malloc_limit_mb=128"]


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="tests/fuzz/run", description=DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", metavar="NAME", nargs="*", choices=[[], *NAMES],
                        help=f"{', '.join(NAMES)} (default: all of them)")
    parser.add_argument("--seconds", type=int, default=60, metavar="N",
                        help="for each (default: %(default)s)")
    parser.add_argument("--keep", action="store_true",
                        help="put into tests/fuzz/corpus, at the end, the smallest of all inputs that reach "
                             "together what all of them reach")
    return parser.parse_args(arguments)


def _existing(*directories):
    return [str(directory) for directory in directories if directory.exists()]


class Fuzzer:
    """One of them, and what it has in the build directory."""

    def __init__(self, name, tree):
        self.name = name
        self.tree = tree
        self.program = tree / "tests/fuzz" / f"fuzz-{name}"
        self.corpus = HERE / "corpus" / name
        self.regressions = HERE / "regressions" / name
        self.inputs = tree / "inputs" / name
        self.findings = tree / "findings"
        for directory in (self.inputs, self.findings):
            directory.mkdir(parents=True, exist_ok=True)

    def _options(self):
        dictionary = self.tree / "dictionary"
        seeds.dictionary(self.tree, dictionary)
        return [f"-max_len={LARGEST.get(self.name, SMALL)}", f"-dict={dictionary}",
                f"-artifact_prefix={self.findings}/{self.name}-", *LIMITS]

    def _start(self, log, *arguments):
        with log.open("w") as output:
            return subprocess.run([self.program, *self._options(), *arguments], stdin=subprocess.DEVNULL,
                                  stdout=output, stderr=output, check=False,
                                  preexec_fn=linux.die_with_parent).returncode

    def run(self, seconds):
        """Return whether nothing was found."""
        log = self.tree / f"{self.name}.log"
        with tempfile.TemporaryDirectory(dir=self.tree) as directory:
            seeds.write(self.name, self.tree, Path(directory))
            status = self._start(log, f"-max_total_time={seconds}", "-print_final_stats=1", str(self.inputs),
                                 *_existing(self.corpus, self.regressions), directory)
        text = log.read_text(errors="replace")
        runs = re.findall(r"^#(\d+)", text, re.M)
        edges = re.findall(r" cov: (\d+)", text)
        say(f"{self.name}: {runs[-1] if runs else 0} executions, {edges[-1] if edges else 0} edges, "
            + (f"a finding: see {log}" if status else "no finding"))
        if status:
            print(text[-4000:], file=sys.stderr)
        return status == 0

    def keep(self):
        """The corpus anew. Which edges are reached counts, not how often: it is to be small."""
        log = self.tree / f"{self.name}-merge.log"
        with tempfile.TemporaryDirectory(dir=self.tree) as directory:
            merged, given = Path(directory, "merged"), Path(directory, "given")
            for path in (merged, given):
                path.mkdir()
            seeds.write(self.name, self.tree, given)
            # What the suite replays anyway need not be in the corpus.
            replayed = [path for path in given.iterdir() if self.name == "config"]
            for path in replayed:
                shutil.copy(path, merged)
            if self._start(log, "-set_cover_merge=1", "-use_counters=0", str(merged),
                           *_existing(self.corpus, self.regressions, self.inputs), str(given)):
                raise Failure(f"{self.name}: the inputs cannot be merged: see {log}")
            for path in replayed:
                (merged / path.name).unlink()
            shutil.rmtree(self.corpus, ignore_errors=True)
            shutil.copytree(merged, self.corpus)
        files = list(self.corpus.iterdir())
        say(f"{self.name}: {len(files)} inputs kept, {sum(file.stat().st_size for file in files)} bytes")


def fuzz(arguments):
    options = _parse(arguments)
    tree = build.fuzzers()
    good = True
    for name in options.names or NAMES:
        fuzzer = Fuzzer(name, tree)
        good = fuzzer.run(options.seconds) and good
        if options.keep:
            fuzzer.keep()
    return 0 if good else 1


if __name__ == "__main__":
    main("tests/fuzz/run", fuzz)
