"""What the tests share: connections, tiny models, a TAP runner.

SPDX-License-Identifier: PostgreSQL
"""

import atexit
import os
import shutil
import sqlite3
import struct
import sys
import tempfile
import unittest

import tiny_models

HERE = os.path.dirname(os.path.abspath(__file__))
MODULE = os.environ.get(
    "INSITU_MODULE", os.path.join(os.path.dirname(HERE), "insitu.so"))
ENTRY = "sqlite3_insitu_init"
PREFIXED_ENTRY = "sqlite3_insituprefixed_init"
BUNDLED = "insitu-mini-en"

SCRATCH = tempfile.mkdtemp(prefix="insitu-sqlite-")
atexit.register(shutil.rmtree, SCRATCH, True)
# Tests leave nothing in the user's own cache.
os.environ["XDG_CACHE_HOME"] = os.path.join(SCRATCH, "cache")

_models = {}


def model(kind="classifier", seed=1, **options):
    """The path of a tiny model; the same call gives the same directory."""
    key = (kind, seed, tuple(sorted(options.items())))
    if key not in _models:
        path = os.path.join(SCRATCH, "model-%d" % len(_models))
        make = getattr(tiny_models, "make_" + kind)
        _models[key] = make(path, seed=seed, **options)
    return _models[key]


def scratch(name):
    return os.path.join(SCRATCH, name)


def load(db, module=None, entry=ENTRY):
    db.enable_load_extension(True)
    # Python 3.11 cannot name the entry point; SQL can.
    db.execute("SELECT load_extension(?, ?)", (module or MODULE, entry))
    db.enable_load_extension(False)
    return db


def connect(path=":memory:", **options):
    return load(sqlite3.connect(path, **options))


def one(db, sql, *arguments):
    return db.execute(sql, arguments).fetchone()[0]


def floats(blob):
    return struct.unpack("<%df" % (len(blob) // 4), blob)


def largest_difference(a, b):
    return max(abs(x - y) for x, y in zip(floats(a), floats(b)))


class DatabaseTest(unittest.TestCase):
    """A connection with the models 'sort' (labels) and 'near' (vectors)."""

    models = True

    def setUp(self):
        self.db = connect()
        if self.models:
            one(self.db, "SELECT model_register('sort', ?)", model())
            one(self.db, "SELECT model_register('near', ?)",
                model("embedder", 2))
            self.db.commit()

    def tearDown(self):
        self.db.close()

    def one(self, sql, *arguments):
        return one(self.db, sql, *arguments)

    def all(self, sql, *arguments):
        return self.db.execute(sql, arguments).fetchall()

    def fails(self, pattern, sql, *arguments, db=None):
        with self.assertRaisesRegex(
                (sqlite3.Error, MemoryError), pattern):
            (db or self.db).execute(sql, arguments).fetchall()


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__(None, None, 0)
        self.count = self.passed = self.failed = self.skips = 0

    def say(self, word, test, note=""):
        self.count += 1
        name = test.id().replace("__main__.", "")
        print("%s %d - sqlite %s%s" % (word, self.count, name, note),
              flush=True)

    def addSuccess(self, test):
        self.passed += 1
        self.say("ok", test)

    def addSkip(self, test, reason):
        self.skips += 1
        self.say("ok", test, " # SKIP " + reason)

    def complain(self, test, error):
        self.failed += 1
        self.say("not ok", test)
        for line in self._exc_info_to_string(error, test).splitlines():
            print("# " + line, flush=True)

    def addFailure(self, test, error):
        self.complain(test, error)

    def addError(self, test, error):
        self.complain(test, error)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.complain(subtest, error)


def run(suite):
    result = TapResult()
    suite.run(result)
    print("1..%d" % result.count)
    print("# skipped %d" % result.skips)
    print("%d passed, %d failed" % (result.passed, result.failed))
    return 1 if result.failed else 0
