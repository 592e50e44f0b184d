"""Audits the two exports of one model as a pair: do they differ in dropout, and in nothing else?

    python examples/pair.py train.onnx inference.onnx [inputs.npz]

The inputs are arrays by input name; without them the audit makes some. Exit status: 1 when the verdict is FAIL.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from dropaudit import PairSubject, audit
from dropaudit.inputs import read_npz
from dropaudit.report import Verdict, to_json


def main(train: str, inference: str, inputs: str = "") -> int:
    """Audit the pair, print the verdict, and write the whole report beside the train artifact."""
    subject = PairSubject(
        train=Path(train).read_bytes(),
        inference=Path(inference).read_bytes(),
        inputs=read_npz(Path(inputs)) if inputs else None,
    )
    report = audit(subject)
    print(f"{report.verdict}  {report.summary}")
    for output in report.outputs:
        print(f"output {output.name}: scale factor {output.scale_factor or '-'}")
    Path(train).with_suffix(".report.json").write_text(json.dumps(to_json(report), indent=2) + "\n", encoding="utf-8")
    return 1 if report.verdict is Verdict.FAIL else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
