"""One copy for threads, connections and processes; interrupts; full disks.

SPDX-License-Identifier: PostgreSQL
"""

import fcntl
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

from support import (HERE, MODULE, SCRATCH, DatabaseTest, connect, floats,
                     largest_difference, model, one, scratch)

TEXTS = ["my order %s card bill %d" % ("please " * (i % 20), i)
         for i in range(40)]


def make_database(name, **options):
    path = scratch(name)
    db = connect(path)
    one(db, "SELECT model_register('near', ?)",
        model("embedder", options.pop("seed", 2), **options))
    db.commit()
    db.close()
    return path


def in_process(code, *arguments, before=(), **options):
    """Runs Python code that finds the tests' support in a new process."""
    program = ("import sys; sys.path.insert(0, %r)\n" % HERE) + code
    return subprocess.run(
        [*before, sys.executable, "-c", program, *arguments], text=True,
        env=dict(os.environ, INSITU_MODULE=MODULE), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=120, **options)


class Threads(unittest.TestCase):
    def test_same_numbers_from_many_threads(self):
        path = make_database("threads.db", seed=31)
        db = connect(path)
        expected = [one(db, "SELECT embed(?, 'near')", text)
                    for text in TEXTS]
        digest = one(db, "SELECT digest FROM model_list WHERE name = 'near'")
        wrong, errors = [], []

        def work():
            try:
                own = connect(path)
                for _ in range(5):
                    for text, vector in zip(TEXTS, expected):
                        found = one(own, "SELECT embed(?, 'near')", text)
                        if largest_difference(found, vector) > 1e-5:
                            wrong.append(text)
                own.close()
            except Exception as error:  # shown by the main thread
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        self.assertEqual(wrong, [])
        row = db.execute("SELECT loads, connections FROM model_stats "
                         "WHERE digest = ?", (digest,)).fetchone()
        self.assertEqual(row, (1, 1))
        db.close()

    def test_concurrent_first_load(self):
        path = make_database("first.db", seed=32, vocabulary_size=20000)
        barrier = threading.Barrier(8)
        errors, loads = [], []

        def work():
            try:
                own = connect(path)
                barrier.wait()
                one(own, "SELECT embed('my order', 'near')")
                loads.append(one(own, "SELECT max(loads) FROM model_stats "
                                 "WHERE digest = (SELECT lower(hex(digest)) "
                                 "FROM insitu_model)"))
                barrier.wait()
                own.close()
            except Exception as error:
                errors.append(error)
                barrier.abort()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        self.assertEqual(loads, [1] * 8)

    def test_connections_open_and_close(self):
        path = make_database("churn.db", seed=33)
        errors = []
        db = connect(path)
        digest = one(db, "SELECT digest FROM model_list WHERE name = 'near'")
        db.close()

        def work():
            try:
                for _ in range(25):
                    own = connect(path)
                    one(own, "SELECT embed('my order', 'near')")
                    own.close()
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        db = connect()
        self.assertEqual(
            one(db, "SELECT connections FROM model_stats WHERE digest = ?",
                digest), 0)
        db.close()


class CacheFile(unittest.TestCase):
    def setUp(self):
        self.cache = scratch("cache-%d" % id(self))

    def tearDown(self):
        shutil.rmtree(self.cache, ignore_errors=True)

    def connect(self, path):
        db = connect(path)
        one(db, "SELECT insitu_setting('cache_directory', ?)", self.cache)
        return db

    def place(self, db):
        return one(db, "SELECT place FROM model_stats WHERE digest = "
                   "(SELECT digest FROM model_list WHERE name = 'near')")

    def test_file_is_made_and_mapped(self):
        path = make_database("mapped.db", seed=41)
        db = self.connect(path)
        one(db, "SELECT embed('my order', 'near')")
        self.assertEqual(self.place(db), "cache file")
        names = os.listdir(self.cache)
        self.assertEqual(len(names), 1)
        self.assertRegex(names[0], r"^[0-9a-f]{64}-\d+\.pack$")
        file = os.stat(os.path.join(self.cache, names[0]))
        self.assertEqual(file.st_mode & 0o777, 0o400)
        with open("/proc/self/maps") as maps:
            self.assertIn(names[0], maps.read())
        db.close()
        with open("/proc/self/maps") as maps:
            self.assertNotIn(names[0], maps.read())

    def test_two_processes_share(self):
        path = make_database("shared.db", seed=42, vocabulary_size=60000)
        code = """
import sys, time
from support import connect, one
db = connect(sys.argv[1])
one(db, "SELECT insitu_setting('cache_directory', ?)", sys.argv[2])
vector = one(db, "SELECT embed('my order', 'near')")
print(vector.hex(), flush=True)
sys.stdin.read()
"""
        children = [subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.path.insert(0, %r)\n%s" %
             (HERE, code), path, self.cache], text=True,
            env=dict(os.environ, INSITU_MODULE=MODULE),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(3)]
        try:
            vectors = [child.stdout.readline() for child in children]
            self.assertEqual(len(set(vectors)), 1)
            inodes, private = set(), 0
            for child in children:
                with open("/proc/%d/smaps" % child.pid) as smaps:
                    entry = re.search(
                        r"^\S+ r--s \S+ \S+ (\d+)\s+\S+\.pack\n(.*?)^VmFlags",
                        smaps.read(), re.M | re.S)
                self.assertIsNotNone(entry)
                inodes.add(entry.group(1))
                private += int(re.search(r"Private_Dirty:\s+(\d+)",
                                         entry.group(2)).group(1))
            self.assertEqual(len(inodes), 1)
            self.assertEqual(private, 0)
        finally:
            for child in children:
                child.stdin.close()
                child.wait()
                child.stdout.close()

    def test_many_processes_load_at_once(self):
        path = make_database("storm.db", seed=43, vocabulary_size=60000)
        code = """
import sys
from support import connect, one
db = connect(sys.argv[1])
one(db, "SELECT insitu_setting('cache_directory', ?)", sys.argv[2])
one(db, "SELECT embed('my order', 'near')")
print(one(db, "SELECT place FROM model_stats"))
"""
        children = [subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.path.insert(0, %r)\n%s" %
             (HERE, code), path, self.cache], text=True,
            env=dict(os.environ, INSITU_MODULE=MODULE),
            stdout=subprocess.PIPE) for _ in range(6)]
        places = [child.communicate()[0].strip() for child in children]
        self.assertEqual(places, ["cache file"] * 6)
        self.assertEqual(len(os.listdir(self.cache)), 1)

    def test_killed_loader_leaves_nothing_in_the_way(self):
        path = make_database("killed.db", seed=44, vocabulary_size=60000)
        code = """
import sys
from support import connect, one
db = connect(sys.argv[1])
one(db, "SELECT insitu_setting('cache_directory', ?)", sys.argv[2])
one(db, "SELECT embed('my order', 'near')")
"""
        for delay in (0.05, 0.1, 0.12, 0.14, 0.16, 0.2):
            child = subprocess.Popen(
                [sys.executable, "-c",
                 "import sys; sys.path.insert(0, %r)\n%s" % (HERE, code),
                 path, self.cache],
                env=dict(os.environ, INSITU_MODULE=MODULE))
            time.sleep(delay)
            child.send_signal(signal.SIGKILL)
            child.wait()
        db = self.connect(path)
        one(db, "SELECT embed('my order', 'near')")
        self.assertEqual(self.place(db), "cache file")
        # One killed after its work may leave the name of its lock.
        endings = {name.rsplit(".")[-1] for name in os.listdir(self.cache)}
        self.assertIn("pack", endings)
        self.assertNotIn("tmp", endings)
        db.close()

    def test_orphaned_temporary_file(self):
        path = make_database("orphan.db", seed=45)
        db = self.connect(path)
        digest = one(db, "SELECT digest FROM model_list WHERE name = 'near'")
        for suffix in ("-1.tmp", "-1.lock"):
            with open(os.path.join(self.cache, digest + suffix), "w") as file:
                file.write("left behind")
        one(db, "SELECT embed('my order', 'near')")
        self.assertEqual(self.place(db), "cache file")
        self.assertEqual(os.listdir(self.cache), [digest + "-1.pack"])
        db.close()

    def test_shortened_file_is_replaced(self):
        path = make_database("short.db", seed=46)
        db = self.connect(path)
        digest = one(db, "SELECT digest FROM model_list WHERE name = 'near'")
        with open(os.path.join(self.cache, digest + "-1.pack"), "w") as file:
            file.write("too short")
        one(db, "SELECT embed('my order', 'near')")
        self.assertEqual(self.place(db), "cache file")
        db.close()

    def test_deleted_file(self):
        path = make_database("deleted.db", seed=47)
        db = self.connect(path)
        first = one(db, "SELECT embed('my order', 'near')")
        shutil.rmtree(self.cache)
        self.assertEqual(first, one(db, "SELECT embed('my order', 'near')"))
        other = self.connect(path)
        self.assertEqual(first, one(other, "SELECT embed('my order', 'near')"))
        db.close()
        other.close()

    def test_drop_removes_the_file(self):
        path = make_database("dropped.db", seed=48)
        db = self.connect(path)
        one(db, "SELECT embed('my order', 'near')")
        self.assertEqual(len(os.listdir(self.cache)), 1)
        one(db, "SELECT model_drop('near')")
        self.assertEqual(os.listdir(self.cache), [])
        db.close()

    def test_no_cache_directory(self):
        path = make_database("none.db", seed=49)
        db = connect(path)
        one(db, "SELECT insitu_setting('cache_directory', '')")
        one(db, "SELECT embed('my order', 'near')")
        self.assertEqual(self.place(db), "private")
        db.close()

    def test_public_directory_is_refused(self):
        os.mkdir(self.cache)
        os.chmod(self.cache, 0o755)
        db = connect()
        with self.assertRaisesRegex(sqlite3.Error, "cannot hold cache files"):
            one(db, "SELECT insitu_setting('cache_directory', ?)", self.cache)
        link = scratch("cache-link")
        os.chmod(self.cache, 0o700)
        os.symlink(self.cache, link)
        with self.assertRaisesRegex(sqlite3.Error, "cannot hold cache files"):
            one(db, "SELECT insitu_setting('cache_directory', ?)", link)
        os.remove(link)
        db.close()

    def test_directory_becomes_public(self):
        path = make_database("public.db", seed=51)
        db = self.connect(path)
        os.chmod(self.cache, 0o777)
        one(db, "SELECT embed('my order', 'near')")
        self.assertEqual(self.place(db), "private")
        db.close()

    def full_disk(self, prepare, before=()):
        path = make_database("full.db", seed=52, vocabulary_size=60000)
        code = """
import os, resource, sys
from support import connect, one
db = connect(sys.argv[1])
%s
one(db, "SELECT insitu_setting('cache_directory', ?)", sys.argv[2])
print(one(db, "SELECT embed('my order', 'near')").hex())
print(one(db, "SELECT place FROM model_stats"))
print(os.listdir(sys.argv[2]))
"""
        result = in_process(code % prepare, path, self.cache, before=before)
        self.assertEqual(result.returncode, 0, result.stderr)
        vector, place, left = result.stdout.split("\n")[:3]
        self.assertEqual((place, left), ("private", "[]"))
        db = self.connect(path)
        self.assertLess(largest_difference(
            bytes.fromhex(vector), one(db, "SELECT embed('my order', "
                                       "'near')")), 1e-5)
        db.close()

    def test_file_size_limit(self):
        self.full_disk("resource.setrlimit(resource.RLIMIT_FSIZE, "
                       "(1 << 20, 1 << 20))")

    @unittest.skipUnless(os.geteuid() == 0, "needs root to mount a tmpfs")
    def test_full_disk(self):
        os.mkdir(self.cache, 0o700)
        # In a name space of its own, which takes the mount with it.
        before = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o "
                  "size=1m,mode=0700 tmpfs %s && exec \"$@\"" % self.cache,
                  "sh"]
        if subprocess.run(before + ["true"],
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("cannot mount a tmpfs")
        self.full_disk("", before)


class FirstUse(unittest.TestCase):
    """A process that finds the file maps it: no time is spent on its bytes."""

    CODE = """
import sys, time
from support import connect, one
db = connect(sys.argv[1])
one(db, "SELECT insitu_setting('cache_directory', ?)", sys.argv[2])
start = time.monotonic()
one(db, "SELECT model_load('near')")
print((time.monotonic() - start) * 1000)
print(one(db, "SELECT place FROM model_stats"))
"""

    @unittest.skipIf("asan" in MODULE, "AddressSanitizer takes its time")
    def test_mapping_takes_a_moment(self):
        cache = scratch("cache-first")
        path = scratch("first-use.db")
        db = connect(path)
        one(db, "SELECT model_register('near', ?, '{\"weights\": \"f32\"}')",
            model("embedder", 73, vocabulary_size=200000))
        db.commit()
        self.assertGreater(one(db, "SELECT bytes FROM model_list "
                               "WHERE name = 'near'"), 20000000)
        db.close()
        times = []
        for _ in range(6):
            found = in_process(self.CODE, path, cache)
            self.assertEqual(found.returncode, 0, found.stderr)
            milliseconds, place = found.stdout.split("\n")[:2]
            self.assertEqual(place, "cache file")
            times.append(float(milliseconds))
        # The first process wrote the file.
        self.assertLess(min(times[1:]), 5)


class Interrupt(unittest.TestCase):
    """sqlite3_interrupt from another thread, also before SQLite 3.41."""

    def interrupted(self, sql, *arguments, delay=0.2):
        db = connect(check_same_thread=False)
        one(db, "SELECT model_register('sort', ?)", model())
        one(db, "SELECT classify('a', 'sort')")
        times = []

        def stop():
            time.sleep(delay)
            times.append(time.monotonic())
            db.interrupt()

        thread = threading.Thread(target=stop)
        thread.start()
        with self.assertRaisesRegex(sqlite3.OperationalError, "interrupted"):
            db.execute(sql, arguments).fetchall()
        stopped = time.monotonic()
        thread.join()
        self.assertLess(stopped - times[0], 0.3)
        # And the connection goes on.
        self.assertIsNotNone(one(db, "SELECT classify('a', 'sort')"))
        db.close()

    def test_in_one_batch(self):
        # All in one call of the core, only it can notice; no text twice.
        texts = json.dumps(["order " * 60] * 1024)
        db_setting = "SELECT insitu_setting('batch_size', 1024)"
        self.interrupted(
            "WITH s AS MATERIALIZED (%s) SELECT count(label) FROM s, "
            "classify_batch((SELECT json_group_array(?2 || key || '-' || n) "
            "FROM (SELECT key, n FROM "
            "json_each(?1), (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3 UNION "
            "SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION "
            "SELECT 8 UNION SELECT 9))), 'sort')" % db_setting,
            texts, "order " * 60)

    def test_between_rows(self):
        self.interrupted(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
            "LIMIT 10000000) SELECT count(classify('order ' || i, 'sort')) "
            "FROM n")


    def test_waiting_for_another_process(self):
        cache = scratch("cache-busy")
        os.mkdir(cache, 0o700)
        path = make_database("busy.db", seed=71)
        db = connect(path, check_same_thread=False)
        one(db, "SELECT insitu_setting('cache_directory', ?)", cache)
        digest = one(db, "SELECT digest FROM model_list WHERE name = 'near'")
        # Somebody who holds the lock and does not get on.
        with open(os.path.join(cache, digest + "-1.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            timer = threading.Timer(0.3, db.interrupt)
            start = time.monotonic()
            timer.start()
            with self.assertRaisesRegex(sqlite3.Error, "interrupted"):
                one(db, "SELECT embed('my order', 'near')")
            self.assertLess(time.monotonic() - start, 1)
            timer.join()
        one(db, "SELECT embed('my order', 'near')")
        db.close()

    def test_during_registration(self):
        db = connect(check_same_thread=False)
        big = model("classifier", 72, vocabulary_size=200000)
        timer = threading.Timer(0.03, db.interrupt)
        timer.start()
        try:
            one(db, "SELECT model_register('big', ?)", big)
        except sqlite3.OperationalError as error:
            self.assertEqual(str(error), "interrupted")
            self.assertEqual(
                one(db, "SELECT count(*) FROM model_list "
                    "WHERE name = 'big'"), 0)
        timer.join()
        one(db, "SELECT model_register('big', ?)", big)
        db.close()


class Fork(unittest.TestCase):
    def test_child_after_fork(self):
        db = connect()
        one(db, "SELECT model_register('near', ?)", model("embedder", 2))
        expected = one(db, "SELECT embed('my order', 'near')")
        child = os.fork()
        if child == 0:
            status = 1
            try:
                own = connect()
                one(own, "SELECT model_register('near', ?)",
                    model("embedder", 2))
                found = one(own, "SELECT embed('my order', 'near')")
                status = 0 if largest_difference(found, expected) < 1e-5 else 2
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        db.close()
