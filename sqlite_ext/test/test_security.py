"""Rights: what a database file from a stranger can make us do.

SPDX-License-Identifier: PostgreSQL
"""

import os
import shutil
import sqlite3
import unittest

from support import (PREFIXED_ENTRY, SCRATCH, DatabaseTest, connect, load,
                     model, one, scratch)

DIRECT_ONLY = (
    "model_register('x', '/etc/passwd')", "model_register('x', '/x', '{}')",
    "model_drop('sort')", "model_drop('sort', 1)", "model_drop('sort', 1, 1)",
    "model_alias('x', 'sort')", "model_export('sort')", "model_info('sort')",
    "model_verify('sort')", "model_load('sort')", "model_unload('sort')",
    "insitu_setting('model_path', '/')",
)


class DirectOnly(DatabaseTest):
    def test_views(self):
        for i, call in enumerate(DIRECT_ONLY):
            with self.subTest(call):
                self.db.execute("CREATE VIEW v%d AS SELECT %s AS x" %
                                (i, call))
                self.fails("unsafe use", "SELECT * FROM v%d" % i)
        for table in ("model_list", "model_stats"):
            with self.subTest(table):
                self.db.execute("CREATE VIEW view_%s AS SELECT * FROM %s" %
                                (table, table))
                self.fails("unsafe use", "SELECT * FROM view_" + table)

    def test_triggers(self):
        self.db.execute("CREATE TABLE t(x)")
        for i, call in enumerate(DIRECT_ONLY):
            with self.subTest(call):
                self.db.execute(
                    "CREATE TRIGGER g%d AFTER INSERT ON t BEGIN "
                    "SELECT %s; END" % (i, call))
                self.fails("unsafe use", "INSERT INTO t VALUES (1)")
                self.db.execute("DROP TRIGGER g%d" % i)

    def test_inference_in_views(self):
        self.db.execute("CREATE VIEW v AS SELECT classify('a', 'sort') AS c")
        self.db.execute("CREATE VIEW s AS SELECT * FROM "
                        "classify_scores('a', 'sort')")
        self.one("SELECT c FROM v")
        self.assertEqual(len(self.all("SELECT * FROM s")), 3)
        self.db.execute("PRAGMA trusted_schema = OFF")
        self.fails("unsafe use", "SELECT c FROM v")
        self.fails("unsafe use", "SELECT * FROM s")
        self.one("SELECT classify('a', 'sort')")

    def test_nothing_is_innocuous(self):
        rows = self.all("SELECT name, flags FROM pragma_function_list WHERE "
                        "name IN ('classify', 'embed', 'token_ids', "
                        "'cosine_distance', 'insitu_setting', "
                        "'model_register')")
        self.assertTrue(rows)
        for name, flags in rows:
            self.assertEqual(flags & 0x200000, 0, name)

    def test_only_explicit_forms_are_deterministic(self):
        rows = self.all("SELECT name, narg, flags & 0x800 != 0 "
                        "FROM pragma_function_list WHERE name IN "
                        "('classify', 'embed', 'embed_query', 'token_count')")
        self.assertEqual({(n, bool(d)) for _, n, d in rows},
                         {(1, False), (2, True)})


class Schemas(DatabaseTest):
    """Generated columns and indexes over the explicit form."""

    def test_generated_column_and_index(self):
        self.db.executescript(
            "CREATE TABLE t(body TEXT, queue TEXT GENERATED ALWAYS AS "
            "(classify(body, 'sort')) STORED);"
            "CREATE INDEX i ON t(classify_score(body, 'order', 'sort'));"
            "CREATE INDEX j ON t(queue);"
            "INSERT INTO t(body) VALUES ('my order'), ('card'), (NULL);")
        self.assertEqual(
            self.all("SELECT queue FROM t"),
            self.all("SELECT classify(body, 'sort') FROM t"))
        self.assertEqual(self.one("PRAGMA integrity_check"), "ok")
        self.db.execute("UPDATE t SET body = 'pay the bill'")
        self.db.execute("REINDEX")
        self.assertEqual(self.one("PRAGMA integrity_check"), "ok")

    def test_default_form_is_refused_in_an_index(self):
        self.db.execute("CREATE TABLE t(body TEXT)")
        self.fails("non-deterministic", "CREATE INDEX i ON t(classify(body))")
        self.fails("non-deterministic", "CREATE TABLE u(body TEXT, q TEXT AS "
                   "(classify(body)))")

    def test_check_constraint_and_trigger(self):
        self.db.executescript(
            "CREATE TABLE t(body TEXT CHECK (token_count(body, 'sort') < 9),"
            " queue TEXT);"
            "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET queue = "
            "classify(new.body, 'sort') WHERE rowid = new.rowid; END;"
            "INSERT INTO t(body) VALUES ('my order');")
        self.assertEqual(self.one("SELECT queue FROM t"),
                         self.one("SELECT classify('my order', 'sort')"))
        self.fails("CHECK", "INSERT INTO t(body) VALUES (?)", "my " * 20)

    def test_unreadable_without_the_extension(self):
        path = scratch("indexed.db")
        db = connect(path)
        one(db, "SELECT model_register('sort', ?)", model())
        db.execute("CREATE TABLE t(body TEXT)")
        db.execute("INSERT INTO t VALUES ('my order')")
        db.execute("CREATE INDEX i ON t(classify(body, 'sort'))")
        db.commit()
        db.close()
        plain = sqlite3.connect(path)
        self.assertEqual(one(plain, "SELECT body FROM t"), "my order")
        with self.assertRaisesRegex(sqlite3.Error, "unknown function"):
            plain.execute("INSERT INTO t VALUES ('x')")
        plain.close()


class HostileCatalog(DatabaseTest):
    """Tables by our names that are not ours are not touched."""

    models = False

    def refused(self, *statements):
        db = connect()
        for sql in statements:
            db.execute(sql)
        for call in ("classify('a', 'sort')", "model_drop('sort')",
                     "model_register('sort', '%s')" % model(),
                     "model_alias('x', 'insitu-mini-en')"):
            self.fails("model tables of the database were changed",
                       "SELECT " + call, db=db)
        self.fails("were changed", "SELECT * FROM model_list", db=db)
        db.close()

    def tables(self, **changes):
        source = connect()
        one(source, "SELECT model_register('sort', ?)", model())
        sql = dict(source.execute(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        source.close()
        sql.update(changes)
        return [text for text in sql.values() if text]

    def test_views(self):
        self.refused("CREATE VIEW insitu_model AS SELECT 'sort' AS name, "
                     "zeroblob(32) AS digest, 1 AS bytes, 0 AS dropped, "
                     "classify('a', 'sort') AS info",
                     "CREATE TABLE insitu_alias(alias, name)",
                     "CREATE TABLE insitu_chunk(digest, i, data)")

    def test_other_columns(self):
        self.refused(*self.tables(
            insitu_model="CREATE TABLE insitu_model(name TEXT)"))

    def test_generated_column(self):
        self.refused(*self.tables(
            insitu_alias="CREATE TABLE insitu_alias(alias TEXT, name TEXT AS "
            "(classify(alias, 'sort')))"))

    def test_missing_table(self):
        self.refused(*self.tables(insitu_chunk=""))

    def test_virtual_table(self):
        self.refused(*self.tables(
            insitu_chunk="CREATE VIRTUAL TABLE insitu_chunk USING "
            "fts5(digest, i, data)"))

    def test_upper_case_name(self):
        self.refused("CREATE VIEW INSITU_MODEL AS SELECT 1")

    def test_altered_table(self):
        self.refused(*self.tables(),
                     "ALTER TABLE insitu_model ADD COLUMN more TEXT")


class Paths(DatabaseTest):
    models = False

    def setUp(self):
        super().setUp()
        self.root = scratch("models-%d" % id(self))
        self.inside = os.path.join(self.root, "inside")
        shutil.copytree(model(), self.inside)
        self.one("SELECT insitu_setting('model_path', ?)", self.root)

    def tearDown(self):
        super().tearDown()
        shutil.rmtree(self.root)

    def test_inside(self):
        self.one("SELECT model_register('a', ?)", self.inside)
        self.one("SELECT model_register('b', 'inside')")
        self.one("SELECT model_register('c', './inside/')")
        self.one("SELECT model_register('d', 'inside/../inside')")

    def test_outside(self):
        outside = model()
        os.symlink(outside, os.path.join(self.root, "link"))
        os.symlink("../../../../../../../.." + outside,
                   os.path.join(self.root, "dots"))
        os.symlink("/", os.path.join(self.root, "slash"))
        for path in (outside, self.root + "/../" + os.path.basename(outside),
                     "../" + os.path.basename(outside), "link", "dots",
                     "slash" + outside, self.root + "x",
                     "/proc/self/cwd", "..", "inside/../../x"):
            with self.subTest(path):
                self.fails("permitted directory",
                           "SELECT model_register('x', ?)", path)

    def test_linked_file(self):
        target = os.path.join(self.inside, "vocab.txt")
        os.remove(target)
        os.symlink(os.path.join(model(), "vocab.txt"), target)
        self.fails("permitted directory",
                   "SELECT model_register('x', 'inside')")
        os.remove(target)
        os.link(os.path.join(model(), "vocab.txt"), target)
        self.fails("hard link", "SELECT model_register('x', 'inside')")

    def test_hub_cache_layout(self):
        hub = os.path.join(self.root, "hub")
        blobs = os.path.join(hub, "blobs")
        snapshot = os.path.join(hub, "snapshots", "0123")
        os.makedirs(blobs)
        os.makedirs(snapshot)
        for name in os.listdir(self.inside):
            os.rename(os.path.join(self.inside, name),
                      os.path.join(blobs, "blob-" + name))
            os.symlink("../../blobs/blob-" + name,
                       os.path.join(snapshot, name))
        self.one("SELECT model_register('hub', 'hub/snapshots/0123')")
        self.one("SELECT insitu_setting('model_path', '')")
        self.one("SELECT model_register('hub', ?)", snapshot)


class Prefixed(unittest.TestCase):
    def test_names(self):
        db = load(sqlite3.connect(":memory:"), entry=PREFIXED_ENTRY)
        one(db, "SELECT insitu_model_register('sort', ?)", model())
        one(db, "SELECT insitu_setting('default_classifier', 'sort')")
        label = one(db, "SELECT insitu_classify('my order')")
        self.assertEqual(
            label, one(db, "SELECT label FROM insitu_classify_scores("
                       "'my order') LIMIT 1"))
        for table in ("insitu_model_list", "insitu_model_stats"):
            db.execute("SELECT * FROM " + table).fetchall()
        for name in ("classify", "embed", "tokens", "cosine_distance"):
            with self.assertRaisesRegex(sqlite3.Error, "no such"):
                db.execute("SELECT %s('a')" % name)
        # Beside a function of the application by the plain name.
        db.create_function("classify", 1, lambda text: "mine")
        self.assertEqual(one(db, "SELECT classify('a')"), "mine")
        self.assertEqual(one(db, "SELECT insitu_classify('my order')"), label)
        db.close()

    def test_both_entry_points(self):
        db = load(connect(), entry=PREFIXED_ENTRY)
        one(db, "SELECT model_register('sort', ?)", model())
        self.assertEqual(one(db, "SELECT classify('a', 'sort')"),
                         one(db, "SELECT insitu_classify('a', 'sort')"))
        db.close()

    def test_loaded_twice(self):
        db = load(connect())
        one(db, "SELECT model_register('sort', ?)", model())
        one(db, "SELECT classify('a', 'sort')")
        load(db)
        one(db, "SELECT classify('a', 'sort')")
        db.close()


class Library(unittest.TestCase):
    def test_exports_only_the_entry_points(self):
        import subprocess
        from support import MODULE
        names = subprocess.run(
            ["nm", "-D", "--defined-only", MODULE], check=True, text=True,
            stdout=subprocess.PIPE).stdout.split("\n")
        names = {line.split()[-1] for line in names if line}
        self.assertEqual(names, {"sqlite3_insitu_init",
                                 "sqlite3_insituprefixed_init"})
