"""Runs the suites against the extension named on the command line (TAP).

    /usr/bin/python3 run_tests.py [MODULE.so [PATTERN]]

SPDX-License-Identifier: PostgreSQL
"""

import os
import sys
import unittest

if len(sys.argv) > 1:
    os.environ["INSITU_MODULE"] = os.path.abspath(sys.argv[1])

import support  # noqa: E402  (reads INSITU_MODULE)

if __name__ == "__main__":
    loader = unittest.TestLoader()
    if len(sys.argv) > 2:
        loader.testNamePatterns = ["*%s*" % sys.argv[2]]
    sys.exit(support.run(loader.discover(support.HERE, "test_*.py")))
