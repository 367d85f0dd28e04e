"""Random programs of products with elementwise ops before, between and after them."""

from __future__ import annotations

from random import Random

from tests.schedule.sketches.chain_kernels import ChainKernel

_UNARY = ("%y = arith.negf %a0 : f32", "%y = arith.mulf %a0, %a0 : f32", "%y = math.absf %a0 : f32")
_BINARY = ("%y = arith.addf %a0, %a1 : f32", "%y = arith.maximumf %a0, %a1 : f32")
_LOOPS = ("ij", "jk", "ik", "ji")


def random_program(seed: int) -> str:
    """Up to seven ops on matrices over three loops: each takes what was made before, or new arguments."""
    random = Random(seed)
    k = ChainKernel({loop: random.choice((3, 8, 17, 32)) for loop in "ijk"})
    made: list[str] = []
    for _ in range(random.randint(2, 7)):
        if random.random() < 0.35:
            result, left, right = random.choice((("ij", "ik", "kj"), ("ik", "ij", "jk"), ("ij", "ki", "kj")))
            operands = [_operand(k, random, made, loops, 0.5) for loops in (left, right)]
            made.append(k.product(result, *operands))
        else:
            loops = random.choice(_LOOPS) if not made or random.random() < 0.3 else k.loops[made[-1]]
            inputs = [_operand(k, random, made, loops)]
            if random.random() < 0.5:
                inputs.append(_operand(k, random, made, random.choice((loops, loops[::-1], loops[-1]))))
            body = random.choice(_UNARY if len(inputs) == 1 else _BINARY)
            made.append(k.op(loops, body, inputs, order=loops))
    # What nothing has taken is returned, else it would be dead.
    taken = " ".join(k.lines)
    return k.text(*(value for value in made if f"ins({value}" not in taken and f", {value} :" not in taken))


def _operand(k: ChainKernel, random: Random, made: list[str], loops: str, computed: float = 0.0) -> str:
    """The newest value over these loops, another one, or an argument; often something computed of that."""
    fitting = [value for value in made if k.loops[value] == loops]
    if fitting and random.random() < 0.8:
        value = fitting[-1] if random.random() < 0.8 else random.choice(fitting)
    else:
        value = k.argument(loops)
    return k.op(loops, random.choice(_UNARY), [value], order=loops) if random.random() < computed else value
