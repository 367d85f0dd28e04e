"""The corpus another implementation of the workload key has to reproduce.

`pytest tests/tasks --update-golden` rewrites it; a changed key makes every record of old keys unused,
so the canonical text's version goes up with it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harl_mlir.frontend.prepare import prepare
from harl_mlir.tasks.analyse import analyse
from harl_mlir.tasks.key import canonical_text

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("kernel", sorted(GOLDEN.glob("*.mlir")), ids=lambda path: path.stem)
def test_keys(kernel: Path, request: pytest.FixtureRequest) -> None:
    analysis = analyse(prepare(kernel.read_text(encoding="utf-8"), kernel.name), kernel.name)
    assert analysis.skipped == ()
    found = "\n".join(
        f"key {task.key}  {task.place}  weight {task.weight}  spellings {1 + len(task.spellings)}\n"
        + canonical_text(task.members, task.results)
        for task in analysis.tasks
    )
    expected = kernel.with_suffix(".txt")
    if request.config.getoption("--update-golden", default=False):
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")
