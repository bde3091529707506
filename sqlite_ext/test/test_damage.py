"""Damaged and hostile content: rows, chunks, packs, sources.

SPDX-License-Identifier: PostgreSQL
"""

import hashlib
import os
import random
import shutil
import socket
import sqlite3
import struct
import unittest

from support import DatabaseTest, connect, model, one, scratch


class Rows(DatabaseTest):
    def damaged(self, sql, *arguments, message="damaged"):
        """The statement, then every way to use the model fails."""
        self.db.isolation_level = None
        self.db.execute("SAVEPOINT before")
        self.db.execute(sql, arguments)
        self.fails(message, "SELECT classify('a', 'sort')")
        self.fails(message, "SELECT * FROM classify_scores('a', 'sort')")
        self.fails(message, "SELECT model_export('sort')")
        self.db.execute("ROLLBACK TO before")
        self.db.execute("RELEASE before")
        self.one("SELECT classify('a', 'sort')")
        self.one("SELECT model_unload('sort')")

    def test_digest(self):
        for value in ("zeroblob(31)", "zeroblob(33)", "x''", "'abc'", "1",
                      "zeroblob(100000000)"):
            with self.subTest(value):
                self.damaged("UPDATE insitu_model SET digest = %s "
                             "WHERE name = 'sort'" % value)

    def test_unknown_digest(self):
        self.damaged("UPDATE insitu_model SET digest = randomblob(32) "
                     "WHERE name = 'sort'", message="chunks are missing")

    def test_size(self):
        for value in ("0", "-1", "9223372036854775807", "2147483649", "'x'",
                      "1.5", "x'00'", "bytes - 1", "bytes + 1",
                      "bytes + 1048576"):
            with self.subTest(value):
                self.damaged("UPDATE insitu_model SET bytes = %s "
                             "WHERE name = 'sort'" % value)

    def test_largest_size(self):
        # A row that lies must not reserve the disk or the memory.
        self.damaged("UPDATE insitu_model SET bytes = 2147483648 "
                     "WHERE name = 'sort'", message="max_loaded_bytes|larger")

    def test_alias_row(self):
        self.one("SELECT model_alias('current', 'sort')")
        self.one("SELECT insitu_setting('default_classifier', 'current')")
        for value in ("'none'", "'current'", "'../x'", "x'00'", "''", "1"):
            with self.subTest(value):
                self.db.execute("UPDATE insitu_alias SET name = " + value)
                self.fails("does not exist|damaged", "SELECT classify('a')")

    def test_info_is_only_shown(self):
        for value in ("''", "'{'", "x'ff'", "'\"tasks\":[\"classify\"'",
                      "'\"tasks\":['", "zeroblob(1000)", "1"):
            self.db.execute("UPDATE insitu_model SET info = " + value)
            self.all("SELECT * FROM model_list")


class Chunks(DatabaseTest):
    """A model of several chunks, damaged in every way."""

    models = False

    def setUp(self):
        super().setUp()
        self.db.isolation_level = None
        self.one("SELECT insitu_setting('cache_directory', '')")
        self.one("SELECT model_register('big', ?, '{\"weights\": \"f32\"}')",
                 model(seed=61, vocabulary_size=30000))
        self.chunks = self.one("SELECT count(*) FROM insitu_chunk")
        self.assertGreaterEqual(self.chunks, 3)

    def refused(self, sql, *arguments, message="damaged"):
        self.db.execute("SAVEPOINT before")
        self.db.execute(sql, arguments)
        self.fails(message, "SELECT classify('a', 'big')")
        self.assertEqual(self.one("SELECT model_verify('big')"), 0)
        self.db.execute("ROLLBACK TO before")
        self.db.execute("RELEASE before")

    def test_missing(self):
        for i in range(self.chunks):
            self.refused("DELETE FROM insitu_chunk WHERE i = ?", i)
        self.refused("DELETE FROM insitu_chunk")

    def test_reordered(self):
        self.refused("UPDATE insitu_chunk SET i = CASE i WHEN 0 THEN -1 "
                     "ELSE i END")
        self.refused("UPDATE insitu_chunk SET i = i + 1000")
        self.refused("UPDATE insitu_chunk SET i = -i")
        self.refused("UPDATE insitu_chunk SET data = (SELECT data FROM "
                     "insitu_chunk AS o WHERE o.i = 1) WHERE i = 0")

    def test_swapped(self):
        self.refused("UPDATE insitu_chunk SET i = i + 100; ".split(";")[0])
        self.db.execute("SAVEPOINT before")
        self.db.execute("UPDATE insitu_chunk SET i = 1000 WHERE i = 0")
        self.db.execute("UPDATE insitu_chunk SET i = 0 WHERE i = 1")
        self.db.execute("UPDATE insitu_chunk SET i = 1 WHERE i = 1000")
        self.fails("damaged", "SELECT classify('a', 'big')")
        self.db.execute("ROLLBACK TO before")
        self.db.execute("RELEASE before")

    def test_added(self):
        self.refused("INSERT INTO insitu_chunk SELECT digest, i + 1, data "
                     "FROM insitu_chunk ORDER BY i DESC LIMIT 1")
        self.refused("INSERT INTO insitu_chunk SELECT digest, -1, x'00' "
                     "FROM insitu_chunk LIMIT 1")

    def test_wrong_sizes_and_types(self):
        for value in ("x''", "substr(data, 2)", "data || x'00'", "'text'",
                      "1", "zeroblob(1048577)", "zeroblob(100000000)",
                      "CAST(data AS TEXT)"):
            with self.subTest(value):
                self.refused("UPDATE insitu_chunk SET data = %s WHERE i = 1" %
                             value)

    def test_one_bit(self):
        generator = random.Random(1)
        data = self.one("SELECT data FROM insitu_chunk WHERE i = 1")
        for _ in range(20):
            changed = bytearray(data)
            position = generator.randrange(len(changed))
            changed[position] ^= 1 << generator.randrange(8)
            self.refused("UPDATE insitu_chunk SET data = ? WHERE i = 1",
                         bytes(changed))


class Forged(DatabaseTest):
    """Bytes changed and the digest made to fit: only validation is left."""

    models = False

    def try_pack(self, pack):
        """Writes the pack into the tables as a stranger would."""
        db = self.db
        digest = hashlib.sha256(pack).digest()
        db.execute("DELETE FROM insitu_model")
        db.execute("DELETE FROM insitu_chunk")
        db.execute("INSERT INTO insitu_model VALUES ('forged', ?, ?, 0, '')",
                   (digest, len(pack)))
        for i in range(0, len(pack), 1 << 20):
            db.execute("INSERT INTO insitu_chunk VALUES (?, ?, ?)",
                       (digest, i >> 20, pack[i:i + (1 << 20)]))
        for sql in ("SELECT classify('my order', 'forged')",
                    "SELECT count(*) FROM tokens('my order', 'forged')"):
            try:
                db.execute(sql).fetchall()
            except sqlite3.Error:
                pass
        one(db, "SELECT model_unload('forged')")

    def setUp(self):
        super().setUp()
        self.one("SELECT insitu_setting('cache_directory', '')")
        self.one("SELECT model_register('sort', ?)", model())
        self.pack = self.one("SELECT model_export('sort')")

    def test_header_bytes(self):
        # The header and the table of sections.
        for position in range(0, 400):
            for flip in (0x01, 0x80, 0xFF):
                changed = bytearray(self.pack)
                changed[position] ^= flip
                self.try_pack(bytes(changed))

    def test_random_bytes(self):
        generator = random.Random(2)
        for _ in range(300):
            changed = bytearray(self.pack)
            for _ in range(generator.choice((1, 2, 8))):
                changed[generator.randrange(len(changed))] = \
                    generator.randrange(256)
            self.try_pack(bytes(changed))

    def test_early_bytes(self):
        generator = random.Random(3)
        for _ in range(400):
            changed = bytearray(self.pack)
            changed[generator.randrange(8192)] = generator.choice(
                (0, 1, 0x7F, 0x80, 0xFF))
            self.try_pack(bytes(changed))

    def test_shortened(self):
        for size in (1, 8, 31, 32, 33, 64, 100, 500, 1000, 4096,
                     len(self.pack) - 64, len(self.pack) - 1):
            self.try_pack(self.pack[:size])
        self.try_pack(self.pack + b"\0" * 64)


class DatabaseFile(unittest.TestCase):
    """Bytes of the file itself changed: SQLite's pages, or ours."""

    def test_random_bytes(self):
        path = scratch("whole.db")
        db = connect(path)
        one(db, "SELECT model_register('sort', ?)", model())
        one(db, "SELECT model_alias('current', 'sort')")
        db.commit()
        db.close()
        with open(path, "rb") as file:
            content = file.read()
        generator = random.Random(4)
        damaged = scratch("damaged.db")
        for i in range(300):
            changed = bytearray(content)
            # The first pages hold the schema and the rows.
            limit = 20000 if i % 2 else len(changed)
            for _ in range(generator.choice((1, 4, 16))):
                changed[generator.randrange(limit)] = generator.randrange(256)
            with open(damaged, "wb") as file:
                file.write(changed)
            try:
                db = connect(damaged)
                db.text_factory = bytes
            except (sqlite3.Error, UnicodeDecodeError):
                continue
            for sql in ("SELECT insitu_setting('cache_directory', '')",
                        "SELECT classify('my order', 'sort')",
                        "SELECT * FROM model_list",
                        "SELECT model_verify('sort')",
                        "SELECT model_info('current')",
                        "SELECT model_drop('current')",
                        "SELECT model_drop('sort', 1, 1)"):
                try:
                    db.execute(sql).fetchall()
                except (sqlite3.Error, MemoryError, UnicodeDecodeError):
                    pass  # SQLite's own messages may quote the damage
            db.close()


class Sources(unittest.TestCase):
    """Directories that are no models: reliability.md W30 to W35."""

    def setUp(self):
        self.db = connect()
        self.path = scratch("source-%d" % id(self))
        shutil.copytree(model(), self.path)

    def tearDown(self):
        self.db.close()
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name="model.safetensors"):
        return os.path.join(self.path, name)

    def refused(self, pattern, path=None):
        with self.assertRaisesRegex((sqlite3.Error, MemoryError), pattern):
            one(self.db, "SELECT model_register('x', ?)", path or self.path)

    def replace(self, make, name="model.safetensors"):
        os.remove(self.file(name))
        make(self.file(name))

    def test_fifo(self):
        self.replace(os.mkfifo)
        self.refused("model.safetensors\" is not a regular file")
        self.refused("not a regular file", self.file())

    def test_directory_instead_of_a_file(self):
        self.replace(os.mkdir, "config.json")
        self.refused("config.json\" is not a regular file")

    def test_devices(self):
        for path in ("/dev/zero", "/dev/null", "/dev/random"):
            self.refused("not a regular file", path)
            self.replace(lambda name: os.symlink(path, name))
            self.refused("not a regular file")

    def test_proc_files(self):
        self.refused("is empty", "/proc/self/mem")
        self.refused(".", "/proc/self/maps")

    def test_socket(self):
        os.remove(self.file())
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(self.file())
            self.refused("model.safetensors")

    def test_dangling_link(self):
        self.replace(lambda name: os.symlink("nowhere", name))
        self.refused("could not open .*model.safetensors")

    def test_link_loop(self):
        self.replace(lambda name: os.symlink("model.safetensors", name))
        self.refused("model.safetensors")

    def test_empty_file(self):
        for name in ("model.safetensors", "config.json", "vocab.txt"):
            shutil.copy(os.path.join(model(), name), self.file(name))
            os.truncate(self.file(name), 0)
            self.refused(name + "\" is empty")
            shutil.copy(os.path.join(model(), name), self.file(name))

    @unittest.skipIf(os.geteuid() == 0, "root reads everything")
    def test_unreadable(self):
        os.chmod(self.file(), 0)
        self.refused("Permission denied")

    def test_missing_files(self):
        for name in ("config.json", "vocab.txt", "model.safetensors"):
            os.rename(self.file(name), self.file("kept"))
            self.refused(".")
            os.rename(self.file("kept"), self.file(name))
        one(self.db, "SELECT model_register('x', ?)", self.path)

    def test_empty_directory(self):
        empty = self.file("empty")
        os.mkdir(empty)
        self.refused("has no config.json", empty)

    def test_huge_sparse_file(self):
        os.truncate(self.file(), 20 << 30)
        self.refused("exceeds the limit for a model")

    def test_lfs_pointer(self):
        with open(self.file(), "w") as file:
            file.write("version https://git-lfs.github.com/spec/v1\n"
                       "oid sha256:%s\nsize 90868376\n" % ("0" * 64))
        self.refused("Git LFS pointer.*git lfs pull")

    def test_pickle(self):
        os.rename(self.file(), self.file("pytorch_model.bin"))
        self.refused("safetensors|pickle|pytorch_model")

    def test_index_names_are_not_opened(self):
        os.rename(self.file(), self.file("kept"))
        for name in ("/etc/passwd", "../kept", "kept", "http://x/y",
                     "model-00001-of-00002.safetensors"):
            with open(self.file("model.safetensors.index.json"), "w") as file:
                file.write('{"metadata": {}, "weight_map": '
                           '{"bert.embeddings.word_embeddings.weight": "%s"}}'
                           % name)
            self.refused(".")

    def test_truncated_weights(self):
        size = os.path.getsize(self.file())
        for length in (1, 7, 8, 9, 100, size // 2, size - 1):
            shutil.copy(os.path.join(model(), "model.safetensors"),
                        self.file())
            os.truncate(self.file(), length)
            self.refused("safetensors|truncated|header|weights|byte")

    def test_wrong_header_lengths(self):
        for length in (0, 1, 2, 2**64 - 1, 2**63, 2**32, 100000001):
            with open(self.file(), "r+b") as file:
                file.write(struct.pack("<Q", length))
            self.refused(".")


class Recursion(DatabaseTest):
    """Calls that come back to us from inside a call."""

    def test_progress_handler_calls_us(self):
        calls = []

        def handler():
            if not calls:
                calls.append(1)
                try:
                    connect().execute("SELECT 1")
                except sqlite3.Error:
                    pass
            return 0

        self.db.set_progress_handler(handler, 1)
        self.one("SELECT classify('my order', 'sort')")
        self.db.set_progress_handler(None, 0)

    def test_progress_handler_aborts(self):
        self.db.set_progress_handler(lambda: 1, 1)
        with self.assertRaises(sqlite3.Error):
            self.one("SELECT classify('my order', 'sort')")
        self.db.set_progress_handler(None, 0)
        self.one("SELECT classify('my order', 'sort')")

    def test_authorizer_denies(self):
        self.db.set_authorizer(
            lambda action, a, b, c, d: sqlite3.SQLITE_DENY
            if a and a.startswith("insitu_") else sqlite3.SQLITE_OK)
        self.fails("prohibited|not authorized",
                   "SELECT classify('a', 'sort')")
        self.db.set_authorizer(None)
        self.one("SELECT classify('a', 'sort')")
