#!/usr/bin/python3
"""test_pages.py - the pages that SQL functions make, in headless Chromium.

One class per page.  Each page is made by both databases, which must write the
same bytes; Chromium opens it, and its tree, its console and its picture are
looked at.

SPDX-License-Identifier: PostgreSQL
"""
import os
import random
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


class EvaluationPage(PageTest):
    """eval_html(predicted, actual)"""

    QUERY = 'SELECT eval_html(predicted, actual) FROM p'
    HOSTILE = [
        '<script>alert(1)</script>', '</style><style>*{display:none}',
        '"><b onclick="x()">', "' onmouseover='x()", '&lt;&amp;', 'x' * 200,
        'y' * 300, '\u05e9\u05dc\u05d5\u05dd <i>',
        '\u0645\u0631\u062d\u0628\u0627', '\u202eright to left', '',
        '  spaces  ', '\u65e5\u672c\u8a9e', 'a\u0001b', '<!--', ']]>',
        'javascript:alert(1)']

    @staticmethod
    def draw(labels, count, seed=1):
        source = random.Random(seed)
        weights = [1 / (i + 1) for i in range(len(labels))]
        # Every label occurs.
        actual = labels + source.choices(labels, weights, k=count)
        return [(source.choice([label, label, label] + labels[:3]), label)
                for label in actual]

    def open_rows(self, rows, **options):
        prepare = 'CREATE TABLE p (predicted text, actual text);' + ''.join(
            'INSERT INTO p VALUES (%s, %s);' % (quote(row[0]), quote(row[1]))
            for row in rows)
        return self.open(self.make(self.QUERY, prepare), **options)

    def tiles(self, page):
        (tiles,) = page.tree.find('div', 'tiles')
        return {tile.find('span')[0].text(): tile.find('b')[0].text()
                for tile in tiles.find('div')}

    def check_tables(self, page, rows, shown):
        labels = {label for row in rows for label in row}
        tables = page.tree.find('table')
        self.assertEqual(len(tables), 3)
        # A row per label, three bars each, and the averages.
        body, foot = tables[0].find('tbody')[0], tables[0].find('tfoot')[0]
        self.assertEqual(len(body.find('tr')), len(labels))
        self.assertEqual(len(body.find('td', 'b')), 3 * len(labels))
        self.assertEqual(len(foot.find('tr')), 3)
        support = [int(row.find('td', 'n')[0].text().replace(',', ''))
                   for row in body.find('tr')]
        self.assertEqual(sum(support), len(rows))
        self.assertEqual(support, sorted(support, reverse=True))
        self.check_matrix(tables[1], rows, shown)

    def check_matrix(self, table, rows, shown):
        cells = table.find('tbody')[0].find('td')
        self.assertEqual(len(cells), shown * shown)
        self.assertEqual(len(table.find('th')), 2 * shown + 1)
        counts = [int(cell.text() or 0) for cell in cells]
        right = sum(row[0] == row[1] for row in rows)
        if shown == len({row[1] for row in rows}):
            self.assertEqual(sum(counts), len(rows))
            self.assertEqual(sum(counts[::shown + 1]), right)
        for i, cell in enumerate(cells):
            kind = 'z' if not counts[i] else \
                'h' if i % (shown + 1) == 0 else 'm'
            self.assertIn(kind, cell.classes())

    def test_three_labels(self):
        rows = self.draw(['negative', 'neutral', 'positive'], 1500)
        page = self.open_rows(rows + [(None, 'neutral'), ('neutral', None)])
        right = sum(row[0] == row[1] for row in rows)
        tiles = self.tiles(page)
        self.assertEqual(tiles['rows'], '1,503')
        self.assertEqual(tiles['right'], format(right, ','))
        self.assertEqual(tiles['labels'], '3')
        self.assertEqual(tiles['rows with NULL'], '2')
        self.assertAlmostEqual(float(tiles['accuracy'].rstrip('%')),
                               100 * right / len(rows), delta=0.0501)
        self.check_tables(page, rows, 3)

    def test_27_labels(self):
        rows = self.draw(['label %d' % i for i in range(27)], 3000)
        page = self.open_rows(rows)
        self.check_tables(page, rows, 27)
        self.assertNotIn('most frequent', page.tree.text())

    def test_77_labels(self):
        rows = self.draw(['label %d' % i for i in range(77)], 5000)
        page = self.open_rows(rows, size=(1200, 3000))
        self.check_tables(page, rows, 50)
        self.assertIn('The 50 most frequent of 77 labels', page.tree.text())
        errors = page.tree.find('table', 'errors')[0].find('tbody')[0]
        counts = [int(row.find('td', 'n')[0].text())
                  for row in errors.find('tr')]
        self.assertEqual(len(counts), 20)
        self.assertEqual(counts, sorted(counts, reverse=True))

    def test_hostile_labels(self):
        rows = self.draw(self.HOSTILE, 500)
        page = self.open_rows(rows, size=(1200, 2400))
        self.check_tables(page, rows, len(self.HOSTILE))
        body = page.tree.find('table')[0].find('tbody')[0]
        shown = {row.find('th')[0].text() for row in body.find('tr')}
        expected = {'empty' if not label else
                    label.replace('\u0001', '\ufffd') if len(label) <= 200
                    else label[:200] + '\u2026' for label in self.HOSTILE}
        self.assertEqual(shown, expected)
        self.assertEqual(len(page.tree.find('style')), 1)

    def test_no_rows(self):
        source = self.make(self.QUERY, 'CREATE TABLE p (predicted text, '
                           'actual text);')
        page = self.open(source)
        self.assertIn('no rows', page.tree.text())
        self.assertEqual(page.tree.find('table'), [])

    def test_light_and_dark(self):
        rows = self.draw(['no', 'yes'], 200)
        for dark in (False, True):
            with self.subTest(dark=dark):
                colours = self.open_rows(rows, dark=dark).colours()
                page = max(colours, key=colours.get)
                self.assertEqual(page, b'\x14\x17\x1c' if dark
                                 else b'\xff\xff\xff')


class ExplanationPage(PageTest):
    """explain_html(input): a snippet, here in a page of its own."""

    HOSTILE = [
        '<script>document.title = "changed"</script> my parcel',
        '</div></div><style>*{display:none}</style><script>x()</script>',
        '"><b onclick="x()"> \' onmouseover=\'x()', 'a & b &lt; &amp; -->',
        '<!-- my order ]]> --> <img src=x onerror=alert(1)>',
        '\u202eright to left \u05e9\u05dc\u05d5\u05dd '
        '\u0645\u0631\u062d\u0628\u0627 my order',
        '\U0001f600 great \U0001f469\u200d\U0001f469\u200d\U0001f467 service',
        'line one\n\tline  two   three', 'a\u0001b\u007f c', 'x' * 3000,
        'my order is late, <b> where is it? ' * 60, '', '   ']

    def explain(self, texts, dark=False):
        """One page with the snippets of all texts; returns page, snippets."""
        snippets = ''.join(self.make('SELECT explain_html(%s)' % quote(text))
                           for text in texts)
        page = self.open(
            '<!DOCTYPE html><meta charset="utf-8"><title>unchanged</title>'
            '<style>:root{color-scheme:light dark}</style>'
            '<h1>Explanation</h1>' + snippets, dark=dark)
        self.assertEqual(page.tree.find('title')[0].text(), 'unchanged')
        outer = [element for element in page.tree.find('div')
                 if element.parent.tag == 'body']
        self.assertEqual(len(outer), len(texts))
        return page, outer

    def parts(self, text):
        """Head, text and legend."""
        return [element for element in self.explain([text])[1][0].children
                if not isinstance(element, str)]

    def shown(self, text):
        return ''.join('\ufffd' if (ord(c) < 32 and c not in '\t\n\f\r') or
                       127 <= ord(c) < 160 else c for c in text)

    def test_hostile_texts(self):
        page, snippets = self.explain(self.HOSTILE)
        self.assertEqual(len(page.tree.find('style')), 1)
        for text, snippet in zip(self.HOSTILE, snippets):
            with self.subTest(text=text[:40]):
                body = snippet.find('div')[1]
                self.assertEqual(body.text(), self.shown(text))
                for element in snippet.walk():
                    self.assertIn(element.tag, ('div', 'span', 'b', 'bdi'))

    def test_words_and_figures(self):
        head, body, legend = self.parts(
            'I was charged twice for the same order')
        words = {span.text(): span for span in body.find('span')}
        self.assertEqual(' '.join(words),
                         'I was charged twice for the same order')
        figures = {word: float(span.attributes['title'])
                   for word, span in words.items()}
        self.assertEqual(max(figures, key=figures.get), 'charged')
        self.assertIn('rgba(0,114,178,0.55)',
                      words['charged'].attributes['style'])
        label, score = head.text().split()
        self.assertEqual(label, 'billing')
        total, baseline = [float(part.split(' ')[-1]) for part in
                           legend.text().split(', without words ')]
        self.assertAlmostEqual(total + baseline, float(score), delta=.0021)
        self.assertAlmostEqual(sum(figures.values()), total, delta=.02)

    def test_cut_text_is_pale_behind_the_limit(self):
        text = 'my order is late. ' * 100
        _, body, legend = self.parts(text)
        pale = body.find('span')[-1]
        self.assertEqual(pale.attributes['style'], 'opacity:.6')
        self.assertTrue(text.endswith(pale.text()))
        self.assertIn('pale', legend.text())

    def test_light_and_dark(self):
        for dark in (False, True):
            with self.subTest(dark=dark):
                page, _ = self.explain(['I was charged twice'], dark=dark)
                colours = page.colours()
                ground = max(colours, key=colours.get)
                self.assertEqual(sum(ground) < 150, dark)
                # The darkest blue is that of the strongest word.
                share = 0.55
                blue = bytes(round(share * part + (1 - share) * below)
                             for part, below in zip((0, 114, 178), ground))
                self.assertTrue(any(
                    all(abs(x - y) <= 2 for x, y in zip(colour, blue))
                    for colour in colours))


if __name__ == '__main__':
    unittest.main()
