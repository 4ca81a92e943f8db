"""What work takes on the meta device, where tensors have sizes and no values: bytes alive at once, and operations.

Attention is taken for a fused one, which keeps no table of all pairs.
"""

import math
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import (
    TorchDispatchMode,  # how torch's own counters see every operation; no public way
)
from torch.utils.flop_counter import flop_registry

COMPUTE = torch.bfloat16  # what large models compute in


class Meter(TorchDispatchMode):
    """What is done on the meta device: how many bytes of tensors made there were alive at once, at most (`peak`), and
    operations (`flop`)."""

    def __init__(self):
        super().__init__()
        self.now = self.peak = 0
        self.flop = 0.0
        self.sizes: dict[int, int] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        self._note((args, kwargs), made=False)  # a weight was there before, also where a view of it is made
        made = func(*args, **kwargs)
        self._note(made, made=True)
        if count := flop_registry.get(func._overloadpacket):
            self.flop += count(*args, **kwargs, out_val=made)
        return made

    def _note(self, tensors: Any, made: bool) -> None:
        for tensor in tensors_in(tensors):
            if tensor.device.type != "meta":
                continue
            storage = tensor.untyped_storage()
            key = id(storage)  # the same object as long as any tensor looks at it
            if key not in self.sizes:  # a view has the storage of what it looks at
                self.sizes[key] = storage.nbytes() if made else 0
                self.now += self.sizes[key]
                self.peak = max(self.peak, self.now)
                weakref.finalize(storage, self._freed, key)

    def _freed(self, key: int) -> None:
        self.now -= self.sizes.pop(key)


def tensors_in(values: Any) -> Iterator[torch.Tensor]:
    """The tensors in arguments or results of an operation, in lists, tuples and dicts too."""
    if isinstance(values, torch.Tensor):
        yield values
    elif isinstance(values, dict):
        yield from tensors_in(list(values.values()))
    elif isinstance(values, list | tuple):
        for value in values:
            yield from tensors_in(value)


class FusedAttention(TorchFunctionMode):
    """Attention that makes its output and nothing else, as the kernels of a GPU do."""

    def __init__(self, meter: Meter):
        super().__init__()
        self.meter = meter

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            given = dict(zip(("query", "key", "value"), args, strict=False)) | kwargs
            query, key, value = (given[name] for name in ("query", "key", "value"))
            pairs = math.prod(query.shape[:-1]) * key.shape[-2]
            self.meter.flop += 2 * pairs * (query.shape[-1] + value.shape[-1])
            return query.new_empty(*query.shape[:-1], value.shape[-1])
        return func(*args, **kwargs)


@torch.no_grad()
def metered(work: Callable[[Meter], Any]) -> Meter:
    """What `work` takes on meta tensors, beside the weights; what it makes itself counts. It is given the meter."""
    with Meter() as meter, FusedAttention(meter):
        work(meter)
    return meter


def on_meta(make: Callable[[], nn.Module]) -> nn.Module:
    """A model without values, in the precision it computes in."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(COMPUTE)
    try:
        with torch.device("meta"):
            return make().eval()
    finally:
        torch.set_default_dtype(default)


def bytes_of(module: nn.Module) -> int:
    return sum(tensor.nbytes for tensor in (*module.parameters(), *module.buffers()))


def meta(*shape: int, dtype: torch.dtype = COMPUTE) -> torch.Tensor:
    return torch.empty(shape, device="meta", dtype=dtype)
