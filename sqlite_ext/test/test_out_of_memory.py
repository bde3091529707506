"""Every allocation of every scenario fails; out_of_memory.c does the work.

SPDX-License-Identifier: PostgreSQL
"""

import os
import subprocess
import unittest

from support import MODULE, model

PROGRAM = os.environ.get("INSITU_OUT_OF_MEMORY", "")


@unittest.skipUnless(os.path.exists(PROGRAM), "out_of_memory is not built")
class OutOfMemory(unittest.TestCase):
    def test_every_allocation(self):
        result = subprocess.run(
            [PROGRAM, MODULE, model(), model("embedder", 2)], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        complaints = [line for line in result.stdout.splitlines()
                      if not line.startswith(("ok", "1.."))]
        self.assertEqual((result.returncode, complaints), (0, []))
