"""Registering, dropping, naming and moving models.

SPDX-License-Identifier: PostgreSQL
"""

import hashlib
import json
import os
import shutil
import sqlite3
import unittest

import tiny_models
from support import (MODULE, DatabaseTest, connect, largest_difference, load,
                     model, one, scratch)


class Register(DatabaseTest):
    def test_digest_and_list(self):
        rows = {row[0]: row for row in self.all(
            "SELECT name, kind, target, tasks, digest, bytes FROM model_list")}
        pack = self.one("SELECT model_export('sort')")
        self.assertEqual(rows["sort"][1:4], ("stored", None, "classify"))
        self.assertEqual(rows["near"][3], "embed")
        self.assertEqual(rows["sort"][4], hashlib.sha256(pack).hexdigest())
        self.assertEqual(rows["sort"][5], len(pack))

    def test_same_bytes_again(self):
        digest = self.one("SELECT model_register('sort', ?)", model())
        self.assertEqual(
            digest, self.one("SELECT digest FROM model_list "
                             "WHERE name = 'sort'"))

    def test_other_bytes_are_refused(self):
        self.fails("exists with other content",
                   "SELECT model_register('sort', ?)", model(seed=7))

    def test_from_blob(self):
        pack = self.one("SELECT model_export('sort')")
        digest = self.one("SELECT model_register('copy', ?)", pack)
        self.assertEqual(digest, hashlib.sha256(pack).hexdigest())
        # Two names share the chunks.
        chunks = self.one("SELECT count(*) FROM insitu_chunk")
        self.one("SELECT model_drop('copy')")
        self.assertEqual(self.one("SELECT count(*) FROM insitu_chunk"), chunks)
        self.one("SELECT classify('a', 'sort')")

    def test_from_pack_file(self):
        path = scratch("exported.pack")
        with open(path, "wb") as file:
            file.write(self.one("SELECT model_export('sort')"))
        self.assertEqual(
            self.one("SELECT model_register('copy', ?)", path),
            self.one("SELECT digest FROM model_list WHERE name = 'sort'"))

    def test_bad_blobs(self):
        pack = self.one("SELECT model_export('sort')")
        for blob in (b"", b"x", b"\0" * 64, pack[:-1], pack + b"\0",
                     pack[:1000], b"X" + pack[1:]):
            with self.subTest(len(blob)):
                self.fails("pack|corrupt", "SELECT model_register('bad', ?)",
                           blob)
        self.fails(".", "SELECT model_register('bad', zeroblob(100000000))")
        self.assertEqual(
            self.all("SELECT * FROM model_list WHERE name = 'bad'"), [])

    def test_options(self):
        self.one("SELECT model_register('short', ?, '{\"max_tokens\": 16}')",
                 model())
        info = json.loads(self.one("SELECT model_info('short')"))
        self.assertEqual(info["max_tokens"], 16)
        for options in ("", "[]", "x", '{"speed": 1}', '{"max_tokens": "a"}',
                        '{"max_tokens": -1}', '{"max_tokens": 1e400}',
                        '{"max_tokens": 8, "max_tokens": 9}',
                        '{"a":' * 10000):
            with self.subTest(options[:40]):
                self.fails(".", "SELECT model_register('bad', ?, ?)", model(),
                           options)
        self.fails("cannot be restricted in SQLite",
                   "SELECT model_register('bad', ?, '{\"restricted\": true}')",
                   model())
        self.fails("must not be NULL",
                   "SELECT model_register('bad', ?, NULL)", model())
        self.fails("apply to a directory",
                   "SELECT model_register('bad', x'00', '{}')")

    def test_null_and_wrong_types(self):
        self.fails("must not be NULL", "SELECT model_register(NULL, '/x')")
        self.fails("must not be NULL", "SELECT model_register('x', NULL)")
        self.fails("must be text", "SELECT model_register(1, '/x')")
        self.fails("must be text", "SELECT model_register('x', 1)")
        self.fails("must not be NULL", "SELECT model_drop(NULL)")
        self.fails("must be 0 or 1", "SELECT model_drop('x', 'yes')")
        self.fails("NUL character",
                   "SELECT model_register('x', CAST(x'2f0061' AS TEXT))")

    def test_missing_source(self):
        self.fails("could not open \"/nonexistent\"",
                   "SELECT model_register('x', '/nonexistent')")
        self.fails("must not be empty", "SELECT model_register('x', '')")

    def test_rollback(self):
        self.db.isolation_level = None
        self.db.execute("BEGIN")
        self.one("SELECT model_register('temporary', ?)", model(seed=3))
        self.one("SELECT classify('a', 'temporary')")
        self.db.execute("ROLLBACK")
        self.fails("does not exist", "SELECT classify('a', 'temporary')")
        self.assertEqual(
            self.one("SELECT count(*) FROM insitu_model "
                     "WHERE name = 'temporary'"), 0)

    def test_rollback_of_the_first(self):
        db = connect()
        db.isolation_level = None
        db.execute("BEGIN")
        one(db, "SELECT model_register('first', ?)", model())
        db.execute("ROLLBACK")
        self.assertEqual(
            db.execute("SELECT name FROM sqlite_master").fetchall(), [])
        one(db, "SELECT model_register('first', ?)", model())
        db.close()

    def test_rollback_to_savepoint(self):
        self.db.isolation_level = None
        self.db.execute("SAVEPOINT s")
        self.one("SELECT model_drop('sort')")
        self.db.execute("ROLLBACK TO s")
        self.db.execute("RELEASE s")
        self.one("SELECT classify('a', 'sort')")

    def test_inside_a_writing_statement(self):
        self.db.execute("CREATE TABLE log(digest TEXT)")
        self.db.execute("INSERT INTO log SELECT model_register('third', ?)",
                        (model(seed=3),))
        self.one("SELECT classify('a', 'third')")

    def test_failed_register_leaves_the_transaction(self):
        self.db.isolation_level = None
        self.db.execute("CREATE TABLE mine(x)")
        self.db.execute("BEGIN")
        self.db.execute("INSERT INTO mine VALUES (1)")
        self.fails("could not open", "SELECT model_register('x', '/nope')")
        self.assertTrue(self.db.in_transaction)
        self.db.execute("COMMIT")
        self.assertEqual(self.one("SELECT count(*) FROM mine"), 1)

    def test_read_only_database(self):
        path = scratch("readonly.db")
        db = connect(path)
        one(db, "SELECT model_register('sort', ?)", model())
        db.commit()
        db.close()
        db = load(sqlite3.connect("file:%s?mode=ro" % path, uri=True))
        one(db, "SELECT classify('a', 'sort')")
        self.fails("readonly", "SELECT model_register('x', ?)", model(seed=3),
                   db=db)
        db.close()

    def test_utf16_database(self):
        db = sqlite3.connect(":memory:")
        db.execute("PRAGMA encoding = 'UTF-16'")
        load(db)
        one(db, "SELECT model_register('sort', ?)", model())
        one(db, "SELECT model_alias('cur', 'sort')")
        one(db, "SELECT insitu_setting('default_classifier', 'cur')")
        db.execute("CREATE TABLE t(body TEXT)")
        db.execute("INSERT INTO t VALUES ('my \u00e9 order \U0001f600')")
        text = "my \u00e9 order \U0001f600"
        self.assertEqual(one(db, "SELECT classify(body) FROM t"),
                         self.one("SELECT classify(?, 'sort')", text))
        self.assertEqual(
            db.execute("SELECT tokens.* FROM t, tokens(body)").fetchall(),
            self.all("SELECT * FROM tokens(?, 'sort')", text))
        db.close()


class Adapter(DatabaseTest):
    """A directory that is to be put over another."""

    def make(self, name, **options):
        base = model("embedder", 2)
        path = scratch(name)
        if not os.path.exists(path):
            tiny_models.make_adapter(
                path, os.path.join("..", os.path.basename(base)), **options)
            tiny_models.merge_adapter(path + "-merged", base, path)
        return path

    def test_equals_the_merged_model(self):
        for name, head in (("lora", None), ("head", "alone")):
            path = self.make(name, head=head)
            for weights in ("f32", "int8"):
                options = json.dumps({"weights": weights})
                digests = [self.one("SELECT model_register(?, ?, ?)",
                                    "%s-%s-%d" % (name, weights, i), source,
                                    options)
                           for i, source in enumerate((path,
                                                       path + "-merged"))]
                self.assertEqual(*digests)

    def test_answers(self):
        self.one("SELECT model_register('adapted', ?)", self.make("lora"))
        self.one("SELECT model_register('headed', ?)",
                 self.make("head", head="alone"))
        labels = json.loads(self.one("SELECT model_info('adapted')"))["labels"]
        self.assertEqual(labels, ["return", "repair", "praise", "x"])
        self.assertIn(self.one("SELECT classify('my card', 'adapted')"),
                      labels)
        near, headed, adapted = [
            self.one("SELECT embed('my card', ?)", name)
            for name in ("near", "headed", "adapted")]
        self.assertEqual(near, headed)
        self.assertNotEqual(near, adapted)

    def test_base_that_is_not_there(self):
        path = tiny_models.make_adapter(scratch("hub"), "bert-base-uncased")
        self.fails('"bert-base-uncased" is no directory',
                   "SELECT model_register('x', ?)", path)

    def test_base_outside_of_the_model_path(self):
        path = self.make("lora")
        self.one("SELECT insitu_setting('model_path', ?)", path)
        self.fails("leads out of the permitted directory",
                   "SELECT model_register('x', '.')")
        self.one("SELECT insitu_setting('model_path', ?)",
                 os.path.dirname(path))
        self.one("SELECT model_register('x', ?)", path)


class DropAndAlias(DatabaseTest):
    def test_drop(self):
        self.one("SELECT classify('a', 'sort')")
        self.assertEqual(self.one("SELECT model_drop('sort')"), 1)
        self.fails("does not exist", "SELECT classify('a', 'sort')")
        self.fails("does not exist", "SELECT model_drop('sort')")
        self.assertEqual(self.one("SELECT model_drop('sort', 1)"), 0)
        self.fails("does not exist", "SELECT model_drop('sort', 0)")

    def test_dropped_name_returns_with_the_same_bytes_only(self):
        self.one("SELECT model_drop('sort')")
        self.fails("belonged to another model",
                   "SELECT model_register('sort', ?)", model(seed=3))
        self.one("SELECT model_register('sort', ?)", model())
        self.one("SELECT classify('a', 'sort')")

    def test_forget(self):
        self.assertEqual(self.one("SELECT model_drop('sort', 0, 1)"), 1)
        self.one("SELECT model_register('sort', ?)", model(seed=3))
        self.one("SELECT model_drop('sort')")
        self.assertEqual(self.one("SELECT model_drop('sort', 0, 1)"), 1)
        self.one("SELECT model_register('sort', ?)", model())

    def test_drop_frees_the_space(self):
        self.one("SELECT model_drop('sort')")
        self.one("SELECT model_drop('near')")
        self.assertEqual(self.one("SELECT count(*) FROM insitu_chunk"), 0)

    def test_alias(self):
        self.one("SELECT model_alias('current', 'sort')")
        self.one("SELECT insitu_setting('default_classifier', 'current')")
        self.assertEqual(self.one("SELECT classify('my card')"),
                         self.one("SELECT classify('my card', 'sort')"))
        self.fails("is an alias", "SELECT classify('a', 'current')")
        self.fails("is an alias",
                   "SELECT * FROM classify_scores('a', 'current')")
        self.fails("target of alias", "SELECT model_drop('sort')")
        self.fails("is an alias", "SELECT model_alias('second', 'current')")
        self.fails("does not exist", "SELECT model_alias('second', 'none')")
        self.fails("name of a model", "SELECT model_alias('near', 'sort')")
        self.fails("is an alias", "SELECT model_register('current', ?)",
                   model())
        self.fails("not allowed", "SELECT model_alias('Bad Name', 'sort')")
        row = self.all("SELECT kind, target FROM model_list "
                       "WHERE name = 'current'")
        self.assertEqual(row, [("alias", "sort")])
        self.assertEqual(self.one("SELECT model_drop('current')"), 1)
        self.fails("does not exist", "SELECT classify('a')")
        self.one("SELECT model_drop('sort')")

    def test_alias_moves(self):
        self.one("SELECT model_register('sort2', ?)", model(seed=9))
        self.one("SELECT model_alias('current', 'sort')")
        self.one("SELECT insitu_setting('default_classifier', 'current')")
        text = "please help with my order"
        first = self.one("SELECT classify_score(?, 'order')", text)
        self.one("SELECT model_alias('current', 'sort2')")
        second = self.one("SELECT classify_score(?, 'order')", text)
        self.assertNotAlmostEqual(first, second, places=4)
        self.assertAlmostEqual(
            second, self.one("SELECT classify_score(?, 'order', 'sort2')",
                             text), places=6)

    def test_another_connection_sees_it(self):
        path = scratch("shared.db")
        a, b = connect(path), connect(path)
        a.isolation_level = b.isolation_level = None
        one(a, "SELECT model_register('sort', ?)", model())
        one(b, "SELECT classify('a', 'sort')")
        one(a, "SELECT model_drop('sort')")
        self.fails("does not exist", "SELECT classify('a', 'sort')", db=b)
        one(b, "SELECT model_register('sort', ?)", model())
        one(a, "SELECT classify('a', 'sort')")
        a.close()
        b.close()

    def test_drop_during_a_scan(self):
        self.one("SELECT insitu_setting('default_classifier', 'sort')")
        self.one("SELECT insitu_setting('batch_size', 1)")
        cursor = self.db.execute(
            "SELECT label FROM classify_scores('my order', 'sort')")
        first = cursor.fetchone()
        self.one("SELECT model_drop('sort')")
        self.assertEqual(len(cursor.fetchall()), 2)
        self.assertIsNotNone(first)
        self.one("SELECT model_register('sort', ?)", model())
        cursor = self.db.execute(
            "SELECT label FROM classify_batch('[\"a\",\"b\",\"c\"]')")
        cursor.fetchone()
        self.one("SELECT model_drop('sort')")
        with self.assertRaisesRegex(sqlite3.Error, "does not exist"):
            cursor.fetchall()

    def test_default_changes_during_a_scan(self):
        self.one("SELECT model_register('two', ?)",
                 model(seed=4, labels=("yes", "no")))
        self.one("SELECT insitu_setting('default_classifier', 'sort')")
        self.one("SELECT insitu_setting('batch_size', 1)")
        cursor = self.db.execute(
            "SELECT label FROM classify_batch('[\"a\",\"b\",\"c\"]')")
        cursor.fetchone()
        self.one("SELECT insitu_setting('default_classifier', 'two')")
        with self.assertRaisesRegex(sqlite3.Error, "changed during"):
            cursor.fetchall()


class Manage(DatabaseTest):
    def test_info(self):
        info = json.loads(self.one("SELECT model_info('sort')"))
        self.assertEqual(info["name"], "sort")
        self.assertEqual(info["labels"], ["billing", "order", "other"])
        self.assertEqual(info["tasks"], ["classify"])
        self.assertEqual(
            info["digest"], self.one("SELECT digest FROM model_list "
                                     "WHERE name = 'sort'"))
        self.assertEqual(
            self.one("SELECT json_extract(model_info('near'), "
                     "'$.embedding_size')"), 32)

    def test_load_and_unload(self):
        self.assertEqual(
            self.one("SELECT model_load('sort')"),
            self.one("SELECT digest FROM model_list WHERE name = 'sort'"))
        self.assertEqual(self.one("SELECT model_unload('sort')"), 1)
        self.assertEqual(self.one("SELECT model_unload('sort')"), 0)
        self.one("SELECT classify('a', 'sort')")
        self.fails("does not exist", "SELECT model_load('none')")
        self.fails("does not exist", "SELECT model_unload('none')")

    def test_verify(self):
        self.assertEqual(self.one("SELECT model_verify('sort')"), 1)
        self.fails("does not exist", "SELECT model_verify('none')")

    def test_stats(self):
        digest = self.one("SELECT model_register('counted', ?)",
                          model(seed=50))
        self.one("SELECT classify('my order', 'counted')")
        self.all("SELECT * FROM classify_batch('[\"a\",\"my order\"]', "
                 "'counted')")
        with self.assertRaises(sqlite3.Error):
            self.one("SELECT embed('a', 'counted')")
        row = self.all("SELECT name, loads, calls, rows, tokens, "
                       "memo_hits, errors, connections FROM model_stats "
                       "WHERE digest = ?", digest)
        self.assertEqual(row, [("counted", 1, 3, 3, 7, 1, 1, 1)])
        self.assertGreater(
            self.one("SELECT milliseconds FROM model_stats WHERE digest = ?",
                     digest), 0)

    def test_loaded_bytes(self):
        size = self.one("SELECT bytes FROM model_list WHERE name = 'sort'")
        self.one("SELECT insitu_setting('max_loaded_bytes', ?)", size - 1)
        self.fails("does not fit into max_loaded_bytes",
                   "SELECT classify('a', 'sort')")
        # Room for one: the older gives way.
        self.one("SELECT insitu_setting('max_loaded_bytes', ?)", size + 1000)
        for _ in range(3):
            self.one("SELECT classify('a', 'sort')")
            self.one("SELECT embed('a', 'near')")
        self.one("SELECT model_load('sort')")
        self.fails("does not fit", "SELECT embed('a', 'near')")
        self.one("SELECT model_unload('sort')")
        self.one("SELECT embed('a', 'near')")


class Files(unittest.TestCase):
    """A model goes where its database file goes."""

    def make(self, name):
        path = scratch(name)
        db = connect(path)
        one(db, "SELECT model_register('near', ?)", model("embedder", 2))
        vector = one(db, "SELECT embed('hello world', 'near')")
        db.commit()
        db.close()
        return path, vector

    def test_copied_file(self):
        path, vector = self.make("original.db")
        copy = scratch("copy.db")
        shutil.copyfile(path, copy)
        os.remove(path)
        db = connect(copy)
        self.assertLess(largest_difference(
            vector, one(db, "SELECT embed('hello world', 'near')")), 1e-5)
        db.close()

    def test_vacuum_backup_and_dump(self):
        path, vector = self.make("vacuumed.db")
        db = connect(path)
        db.execute("VACUUM")
        into = scratch("into.db")
        db.execute("VACUUM INTO ?", (into,))
        backup = sqlite3.connect(scratch("backup.db"))
        db.backup(backup)
        load(backup)
        dumped = sqlite3.connect(":memory:")
        dumped.executescript("\n".join(db.iterdump()))
        load(dumped)
        for other in (db, connect(into), backup, dumped):
            self.assertLess(largest_difference(
                vector, one(other, "SELECT embed('hello world', 'near')")),
                1e-5)
            other.close()

    def test_attached_database(self):
        path, vector = self.make("attached.db")
        db = connect()
        db.execute("ATTACH ? AS other", (path,))
        # Models are looked up in main only ...
        with self.assertRaisesRegex(sqlite3.Error, "does not exist"):
            one(db, "SELECT embed('hello world', 'near')")
        # ... and cross over as rows, or as an exported pack.
        one(db, "SELECT model_register('sort', ?)", model())
        for table in ("model", "chunk"):
            db.execute("INSERT INTO main.insitu_%s SELECT * FROM "
                       "other.insitu_%s" % (table, table))
        self.assertLess(largest_difference(
            vector, one(db, "SELECT embed('hello world', 'near')")), 1e-5)
        db.close()

    def test_same_name_in_two_databases(self):
        a, b = connect(), connect()
        one(a, "SELECT model_register('near', ?)", model("embedder", 2))
        one(b, "SELECT model_register('near', ?)", model("embedder", 3))
        for _ in range(2):
            x = one(a, "SELECT embed('hello', 'near')")
            y = one(b, "SELECT embed('hello', 'near')")
            self.assertGreater(largest_difference(x, y), 1e-3)
        a.close()
        b.close()

    def test_wal_and_two_connections(self):
        path, vector = self.make("wal.db")
        a = connect(path)
        a.execute("PRAGMA journal_mode = WAL")
        b = connect(path)
        for db in (a, b):
            self.assertLess(largest_difference(
                vector, one(db, "SELECT embed('hello world', 'near')")), 1e-5)
        a.close()
        b.close()

    def test_library_copied_elsewhere(self):
        directory = scratch("elsewhere")
        os.makedirs(directory, exist_ok=True)
        module = os.path.join(directory, "insitu.so")
        shutil.copyfile(MODULE, module)
        here = os.getcwd()
        os.chdir(directory)
        try:
            db = load(sqlite3.connect(":memory:"), "./insitu")
            names = db.execute("SELECT name FROM model_list").fetchall()
            reference = connect()
            self.assertEqual(
                names, reference.execute("SELECT name FROM model_list")
                .fetchall())
            reference.close()
            db.close()
        finally:
            os.chdir(here)
