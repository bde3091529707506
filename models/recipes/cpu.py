"""cpu.py - to be imported before numpy and torch.

Debian's OpenBLAS 0.3.21 takes server processors newer than itself for very old
ones and multiplies matrices five times slower than they can.  It reads the
name of a processor from the environment when it is loaded.
"""

import os

with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
    if " avx512vl " in file.read().replace("\n", " "):
        os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX")
os.environ.setdefault("OMP_NUM_THREADS", "1")
