"""The text of schedule libraries."""

from __future__ import annotations

import re

from tests.schedule.transform_jobs import call

KERNEL = """#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @f(%a: tensor<64x48xf32>, %b: tensor<48x96xf32>) -> (tensor<64x96xf32>, tensor<64x96xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x96xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x96xf32>) -> tensor<64x96xf32>
  %m = linalg.matmul ins(%a, %b : tensor<64x48xf32>, tensor<48x96xf32>)
      outs(%f : tensor<64x96xf32>) -> tensor<64x96xf32>
  %n = linalg.matmul ins(%a, %b : tensor<64x48xf32>, tensor<48x96xf32>)
      outs(%f : tensor<64x96xf32>) -> tensor<64x96xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%n : tensor<64x96xf32>) outs(%e : tensor<64x96xf32>) {
  ^bb0(%x: f32, %o: f32):
    %y = arith.maximumf %x, %zero : f32
    linalg.yield %y : f32
  } -> tensor<64x96xf32>
  return %m, %r : tensor<64x96xf32>, tensor<64x96xf32>
}
"""


def test_a_library_says_where_it_comes_from_and_what_it_holds() -> None:
    text = call("write", kernel=KERNEL)
    for attribute in (
        'harl.features = ["avx512f"]',
        "harl.library = 1 : i64",
        'harl.processor = "any"',
        'harl.producer = "harl_mlir 7"',
        "harl.threads = 1 : i64",
    ):
        assert attribute in text
    labels = re.findall(r'@schedule_([0-9a-f]{16})\(.*harl.label = "([^"]*)"', text)
    assert [label for _, label in labels] == ["matmul 64x96x48 f32 +1", "matmul 64x96x48 f32"]
    for key, label in labels:
        assert f'"matched by @schedule_{key} ({label})"' in text


def test_larger_groups_are_applied_first() -> None:
    text = call("write", kernel=KERNEL)
    main = text[text.index("@__transform_main") :]
    fused, plain = (key for key, _ in re.findall(r"@schedule_([0-9a-f]{16})\((.*)harl.label", text))
    assert main.index(fused) < main.index(plain)


def test_knobs_stay_only_if_asked() -> None:
    assert "transform.tune" not in call("write", kernel=KERNEL)
    text = call("write", kernel=KERNEL, tunable=True)
    assert re.search(r'transform.tune.knob<"\w+"> = \d+ : i64 from options = \[', text)
    done = call("apply", kernel=KERNEL, library=text)
    assert {status for _, _, _, status, _ in done["outcomes"]} == {"scheduled"}


def test_the_text_is_the_same_every_time() -> None:
    assert call("write", kernel=KERNEL) == call("write", kernel=KERNEL)
