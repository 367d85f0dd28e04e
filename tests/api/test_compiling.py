"""`harl_mlir.compile`: functions on NumPy arrays, with schedules and without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import harl_mlir
from harl_mlir.api import Tuned
from harl_mlir.errors import HarlError, InputError, UsageError
from tests.api.conftest import MATMUL

RNG = np.random.default_rng(0)
A = RNG.standard_normal((24, 16), dtype=np.float32)
B = RNG.standard_normal((16, 32), dtype=np.float32)
C = RNG.standard_normal((24, 32), dtype=np.float32)
WANTED = C.astype(np.float64) + A.astype(np.float64) @ B.astype(np.float64)


def test_the_tuned_kernel_is_called_on_arrays_and_is_right(tuned: Tuned, tmp_path: Path) -> None:
    saved = tmp_path / "l.mlir"
    tuned.library.save(saved)
    for library in (None, tuned.library, saved):
        module = harl_mlir.compile(MATMUL, library)
        assert list(module) == ["product"]
        given = C.copy()
        result = module(A, B, given)
        assert isinstance(result, np.ndarray)
        np.testing.assert_allclose(result, WANTED, rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(given, C)
        assert [outcome.matched for outcome in module.outcomes] == ([] if library is None else [True])


def test_schedules_change_the_code(tuned: Tuned) -> None:
    assert harl_mlir.compile(MATMUL).object_code != harl_mlir.compile(MATMUL, tuned.library).object_code


def test_one_of_several_functions_is_called_by_name() -> None:
    both = MATMUL + MATMUL.replace("product", "other")
    module = harl_mlir.compile(both)
    out = np.empty((24, 32), np.float32)
    assert module["other"](A, B, C, out=[out]) is out
    np.testing.assert_allclose(out, WANTED, rtol=1e-5, atol=1e-5)
    with pytest.raises(UsageError, match="several functions here; call one of product, other by its name"):
        module(A, B, C)
    assert list(harl_mlir.compile(both, function="other")) == ["other"]


def test_dynamic_arguments_need_shapes() -> None:
    dynamic = MATMUL.replace("24x", "?x")
    module = harl_mlir.compile(dynamic, shapes={"a": (24, 16), "c": (24, 32)})
    np.testing.assert_allclose(module(A, B, C), WANTED, rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match=r"must have shape \(24, 16\)"):
        module(A[:8], B, C)


def test_code_for_another_processor_is_not_called_here() -> None:
    module = harl_mlir.compile(MATMUL, target_cpu="x86-64-v2")
    assert module.object_code.startswith(b"\x7fELF")
    assert module.functions[0].name == "product"
    with pytest.raises(UsageError, match="compiled for x86-64-v2, which may not be this processor"):
        module(A, B, C)
    with pytest.raises(InputError, match="z80"):
        harl_mlir.compile(MATMUL, target_cpu="z80")


def test_bad_input_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="kernel:1:1: not valid MLIR"):
        harl_mlir.compile("func {")
    bad = tmp_path / "bad.mlir"
    bad.write_text("module {\n oops }")
    with pytest.raises(InputError, match=r"bad.mlir:2:2: not valid MLIR"):
        harl_mlir.compile(MATMUL, bad)
    with pytest.raises(
        InputError, match=r"a str is the text of a library, and this looks like a file's name"
    ):
        harl_mlir.compile(MATMUL, "bad.mlir")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"threads": "2"}, "threads must be a whole number, not '2'"),
        ({"threads": 10**30}, "is beyond 1024; give a smaller number"),
        ({"target_cpu": 3}, "target_cpu must be a name, not 3; give a str"),
        ({"function": 3}, "function must be a name, not 3; give a str"),
        ({"shapes": {0: (5, 5)}}, "kernel:2:20: shape 0=5x5: "),
        ({"shapes": [(24, 16)]}, "is no mapping of shapes; give a dict such as {'A': (512, 512)}"),
    ],
)
def test_arguments_of_another_type_are_refused(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(HarlError) as refused:
        harl_mlir.compile(MATMUL, **arguments)  # type: ignore[arg-type]
    assert sentence in str(refused.value)
