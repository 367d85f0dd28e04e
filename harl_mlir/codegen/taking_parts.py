"""How threads share the iterations of a parallel loop: each begins with its own, and takes those of others.

Waking a thread takes tens of microseconds, and equal parts do not take equally long. So a thread that has
done its iterations takes such that another has not begun: `schedule(nonmonotonic: dynamic)` of OpenMP, which
runtimes of LLVM's kind do by such stealing. Which thread runs an iteration changes no result.
"""

from __future__ import annotations

from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import ir

_SCHEDULE = {
    "schedule_kind": "#omp<schedulekind dynamic>",
    "schedule_mod": "#omp<sched_mod nonmonotonic>",
    # The end of the parallel region waits for all threads by itself.
    "nowait": "unit",
}


def take_parts(module: ir.Module) -> None:
    """Have the threads of every `omp.wsloop` that ends its parallel region take iterations of one another."""
    for op in all_ops(module.operation):
        if op.name == "omp.parallel":
            (block,) = op.regions[0].blocks
            inside = list(block.operations)
            if len(inside) > 1 and inside[-2].operation.name == "omp.wsloop":
                for name, text in _SCHEDULE.items():
                    inside[-2].operation.attributes[name] = ir.Attribute.parse(text, module.context)
