"""Composition root of `python -m dropaudit_models.torch.architectures`: a labelled folder, or the table of the docs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dropaudit_models.torch.architectures.table import table


def run(arguments: Sequence[str]) -> int:
    """Write the folder, or print the table where none is named; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m dropaudit_models.torch.architectures", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder for the exports and their labels.json")
    given = parser.parse_args(arguments)
    if given.output is None:
        print(table(), end="")
    else:
        # PyTorch is imported when it is needed.
        from dropaudit_models.torch.architectures.corpus import write_architectures

        write_architectures(given.output)
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
