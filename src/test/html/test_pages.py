#!/usr/bin/python3
"""test_pages.py - the pages that SQL functions make, in headless Chromium.

One class per page.  Each page is made by both databases, which must write the
same bytes; Chromium opens it, and its tree, its console and its picture are
looked at.

SPDX-License-Identifier: PostgreSQL
"""
import os
import sqlite3
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
from cluster import ROOT, Cluster  # noqa: E402
from browser import PROGRAM, Page  # noqa: E402

LIBRARY = os.path.join(ROOT, 'sqlite_ext', 'insitu')

cluster = None


def setUpModule():
    global cluster
    if PROGRAM is None:
        raise unittest.SkipTest('no chromium')
    cluster = Cluster().__enter__()
    os.environ['XDG_CACHE_HOME'] = os.path.join(cluster.directory, 'cache')
    cluster.psql('CREATE EXTENSION insitu;')


def tearDownModule():
    if cluster:
        cluster.__exit__()


def quote(value):
    return 'NULL' if value is None else \
        "'" + value.replace("'", "''") + "'"


class PageTest(unittest.TestCase):
    """What all pages have in common."""

    def make(self, query, prepare=''):
        """The page that a query gives, the same on both databases."""
        connection = sqlite3.connect(':memory:')
        connection.enable_load_extension(True)
        connection.load_extension(LIBRARY)
        connection.executescript(prepare)
        source = connection.execute(query).fetchone()[0]
        connection.close()
        other = cluster.psql('BEGIN;' + prepare + query + ';ROLLBACK;',
                             options=['-A', '-t'])
        # psql ends the row with a line feed.
        self.assertEqual(other[:-1], source)
        return source

    def open(self, source, **options):
        """Opens a page and checks what holds for every page."""
        page = Page(source, **options)
        self.assertEqual(page.console, [])
        for element in page.tree.walk():
            self.assertNotIn(element.tag, ('script', 'iframe', 'img', 'link',
                                           'object', 'embed', 'form'))
            for name in element.attributes:
                self.assertFalse(name.startswith('on'), name)
                self.assertNotIn(name, ('src', 'href', 'action'))
        self.assertEqual(len(page.tree.find('h1')), 1)
        # Not a blank picture.
        self.assertGreater(len(page.colours()), 20)
        return page


if __name__ == '__main__':
    unittest.main()
