"""Composition root of `python -m dropaudit_models.specimens.situations DIR`, which writes a labelled folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dropaudit_models.specimens.situations.writing import write_situations


def run(arguments: Sequence[str]) -> int:
    """Write the folder, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m dropaudit_models.specimens.situations", description=__doc__)
    parser.add_argument("directory", type=Path, metavar="DIR", help="gets the models and their labels.json")
    write_situations(parser.parse_args(arguments).directory)
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
