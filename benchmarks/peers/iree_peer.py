"""IREE: the case's own MLIR kernel, compiled with its default flags or with data tiling.

Timed through the Python runtime with operands on the device; a call costs 5 us there, as it does in
`iree-benchmark-module`.
"""

from __future__ import annotations

import importlib.metadata
import os

import iree.compiler
import iree.runtime
import numpy as np
from serve import Problem, Program, serve

HOST = (
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=host",
    "--iree-llvmcpu-stack-allocation-limit=1048576",  # data tiling exceeds the default a little
)
FLAGS = {
    "iree": HOST,
    "iree_data_tiling": (
        *HOST,
        "--iree-opt-level=O3",
        "--iree-opt-data-tiling",
        "--iree-llvmcpu-enable-ukernels=all",
    ),
}


def load(problem: Problem) -> Program:
    """Compile the kernel's only function and put its operands on a device with the case's threads."""
    binary = _compile(problem.kernel, FLAGS[problem.contender])
    threads = os.environ["OMP_NUM_THREADS"]
    if threads != "1":
        iree.runtime.flags.parse_flags(f"--task_topology_group_count={threads}")
    config = iree.runtime.Config("local-sync" if threads == "1" else "local-task")
    context = iree.runtime.SystemContext(config=config)
    module = iree.runtime.VmModule.copy_buffer(config.vm_instance, binary)
    context.add_vm_module(module)
    name = next(name for name in module.function_names if not name.startswith("__"))
    function = module.lookup_function(name)
    operands = [_operand(config, array) for array in problem.inputs]
    arguments = iree.runtime.VmVariantList(len(operands))
    for operand in operands:
        arguments.push_ref(operand)
    invoke, results = context.vm_context.invoke, iree.runtime.VmVariantList

    def call() -> iree.runtime.VmVariantList:
        produced = results(1)
        invoke(function, arguments, produced)
        return produced

    def result() -> np.ndarray:
        view = call().get_as_object(0, iree.runtime.HalBufferView)
        if problem.case.get("result") == "bf16":
            return np.array(view.map().asarray(view.shape, np.dtype(np.uint16)))
        array = iree.runtime.DeviceArray(config.device, view, implicit_host_transfer=True)
        return np.array(array.to_host())

    return Program(call, result)


def _operand(config: iree.runtime.Config, array: np.ndarray) -> iree.runtime.HalBufferView:
    """An array on the device; bits of 16 are bf16."""
    if array.dtype != np.uint16:
        return iree.runtime.asdevicearray(config.device, array)._buffer_view
    return config.device.allocator.allocate_buffer_copy(
        memory_type=iree.runtime.MemoryType.DEVICE_LOCAL,
        allowed_usage=iree.runtime.BufferUsage.DEFAULT,
        device=config.device,
        buffer=array,
        element_type=iree.runtime.HalElementType.BFLOAT_16,
    )


def _compile(kernel: str, flags: tuple[str, ...]) -> bytes:
    try:
        return bytes(iree.compiler.compile_file(kernel, extra_args=list(flags)))
    except iree.compiler.CompilerToolError as error:
        diagnostics = [line for line in str(error).splitlines() if "error:" in line]
        raise RuntimeError((diagnostics or [str(error)])[0].split("error:")[-1].strip()) from None


if __name__ == "__main__":
    serve(importlib.metadata.version("iree-base-compiler"), load)
