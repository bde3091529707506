"""cpu.py - to be imported before numpy and torch.

Debian's OpenBLAS 0.3.21 takes server processors newer than itself for very old
ones and multiplies matrices five times slower than they can.  It reads the
name of a processor from the environment when it is loaded.

HALF says whether products of bfloat16 are quicker: in tiles (AMX) they take a
fifth of the time of float32, in vectors half of it on some processors and half
as long again on others.
"""

import contextlib
import ctypes
import os
import time

with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
    FLAGS = set(file.read().split())
if "avx512vl" in FLAGS:
    os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX")
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Memory that the allocator keeps need not be cleared by the system each time:
# a fifth of a step.  The numbers are M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
with contextlib.suppress(OSError, AttributeError):
    for number in (-3, -1):
        ctypes.CDLL(None).mallopt(number, 1 << 30)


def half_is_quicker():
    """Measured on a layer of the large encoder; a tenth of a second."""
    import torch

    def seconds(kind):
        rows, weights = (torch.ones(size, 384, dtype=kind)
                         for size in (1024, 1536))
        torch.nn.functional.linear(rows, weights)
        start = time.perf_counter()
        for _ in range(5):
            torch.nn.functional.linear(rows, weights)
        return time.perf_counter() - start

    return seconds(torch.bfloat16) < seconds(torch.float32)


HALF = bool(FLAGS & {"amx_bf16", "avx512_bf16"}) and half_is_quicker()
