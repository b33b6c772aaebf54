#!/usr/bin/env python3
"""Runs aimed operations of decimal128 on the engine, on Python's `decimal` and on MPFR.

    python3 specs/conformance/oracle/arithmetic.py target/debug/decimal-oracle [COUNT [SEED]]

COUNT is 30000 and SEED 34 when not given. Makes a virtual environment with gmpy2 in a temporary folder (pip asks
the package registry); where pip cannot install it, says so and compares with `decimal` alone. Ends with 1 at any
difference; prints the counts by operation.

A million operations take about ten minutes:

    cargo build --release -p conformance --bin decimal-oracle
    nice python3 specs/conformance/oracle/arithmetic.py target/release/decimal-oracle 1000000 1
"""
import pathlib
import subprocess
import sys
import tempfile
import venv

PACKAGE = "gmpy2==2.3.2"
HERE = pathlib.Path(__file__).resolve().parent


def python_with_mpfr(folder):
    """The interpreter of an environment with gmpy2, or this one where there is none."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip = subprocess.run([python, "-m", "pip", "install", "-q", "--only-binary", ":all:", PACKAGE])
    return python if pip.returncode == 0 else sys.executable


def main():
    if not 2 <= len(sys.argv) <= 4 or not all(word.isdigit() for word in sys.argv[2:]):
        sys.exit(__doc__)
    count, seed = (sys.argv[2:] + ["30000", "34"][len(sys.argv) - 2:])[:2]
    with tempfile.TemporaryDirectory() as folder:
        python = python_with_mpfr(pathlib.Path(folder) / "venv")
        oracle = subprocess.Popen([python, "-B", HERE / "aimed.py", seed, count], stdout=subprocess.PIPE)
        engine = subprocess.run([sys.argv[1]], stdin=oracle.stdout)
        oracle.stdout.close()
        sys.exit(oracle.wait() or engine.returncode)


if __name__ == "__main__":
    main()
