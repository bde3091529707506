"""cpu.py - to be imported before numpy and torch.

Debian's OpenBLAS 0.3.21 takes server processors newer than itself for very old
ones and multiplies matrices five times slower than they can.  It reads the
name of a processor from the environment when it is loaded.

HALF says whether the processor multiplies numbers of bfloat16: in tiles (AMX),
which takes a fifth of the time of float32, or in vectors, which takes half.
"""

import contextlib
import ctypes
import os

with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
    FLAGS = set(file.read().split())
HALF = {"amx_tile", "amx_bf16"} <= FLAGS or "avx512_bf16" in FLAGS
if "avx512vl" in FLAGS:
    os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX")
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Memory that the allocator keeps need not be cleared by the system each time:
# a fifth of a step.  The numbers are M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
with contextlib.suppress(OSError, AttributeError):
    for number in (-3, -1):
        ctypes.CDLL(None).mallopt(number, 1 << 30)
