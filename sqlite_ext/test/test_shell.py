"""Runs each *.sql of this directory in the sqlite3 shell and compares its
output with *.out, as pg_regress does.  The database has the tiny models
"sort" and "near".  After an intended change: python3 test_shell.py --accept

SPDX-License-Identifier: PostgreSQL
"""

import difflib
import glob
import os
import re
import shutil
import subprocess
import sys
import unittest

from support import HERE, MODULE, connect, model, one, scratch


def output_of(path):
    database = scratch("shell.db")
    if os.path.exists(database):
        os.remove(database)
    db = connect(database)
    one(db, "SELECT model_register('sort', ?)", model())
    one(db, "SELECT model_register('near', ?)", model("embedder", 2))
    db.commit()
    db.close()
    with open(path, encoding="utf-8") as script:
        return subprocess.run(
            ["sqlite3", "-batch", "-init", os.devnull, database,
             ".load '%s' sqlite3_insitu_init" % MODULE, ".read /dev/stdin"],
            stdin=script, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=120).stdout


def as_later_shells(text):
    """Those that name the file beside the line do so without "Runtime" and
    without the number of the error."""
    text = re.sub(r"^Runtime error near", "Error near", text, flags=re.M)
    return re.sub(r"^(\w+(?: \w+)?) near line (\d+): (.*?)(?: \(\d+\))?$",
                  r"\1 near line \2 of /dev/stdin: \3", text, flags=re.M)


def scripts():
    return sorted(glob.glob(os.path.join(HERE, "*.sql")))


@unittest.skipUnless(shutil.which("sqlite3"), "there is no sqlite3 shell")
@unittest.skipIf("asan" in os.environ.get("LD_PRELOAD", ""),
                 "the Python suites cover it")
class Shell(unittest.TestCase):
    maxDiff = None


def add_test(path):
    name = os.path.splitext(os.path.basename(path))[0]

    def test(self):
        with open(path[:-4] + ".out", encoding="utf-8") as file:
            expected = file.read()
        found = output_of(path)
        if " of /dev/stdin: " in found:
            expected = as_later_shells(expected)
        if found != expected:
            self.fail("\n".join(difflib.unified_diff(
                expected.splitlines(), found.splitlines(), name + ".out",
                "found", lineterm="")))

    setattr(Shell, "test_" + name, test)


for script_path in scripts():
    add_test(script_path)

if __name__ == "__main__" and sys.argv[1:] == ["--accept"]:
    for script_path in scripts():
        with open(script_path[:-4] + ".out", "w", encoding="utf-8") as out:
            out.write(output_of(script_path))
