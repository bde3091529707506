#!/usr/bin/python3
"""fuzz_plans.py - random queries give the same with batch plans and without.

    fuzz_plans.py [--queries 400] [--seed 1]

Each query runs in one session with insitu.batch_plans on and in another with
it off and without a memo, so that nothing computed by the one serves the
other.  Rows, their order (but for parallel plans) and errors must be equal.
Prints how many of the plans had a batch scan, and fails when too few had.

SPDX-License-Identifier: PostgreSQL
"""
import argparse
import os
import random
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..'))
from cluster import Cluster, ROOT  # noqa: E402

FIXTURES = os.path.join(ROOT, 'src/test/parity/fixtures')
MARK = '@@'
# Of all queries: the generator would test little otherwise.
LEAST_BATCHED = 0.5

TABLES = """
CREATE TABLE a (id int, n int, body text, title text);
INSERT INTO a SELECT i, i % 7, CASE WHEN i % 11 = 0 THEN NULL
       ELSE left(md5((i % 60)::text), 3 + i % 29) END,
       CASE i % 9 WHEN 0 THEN '' WHEN 1 THEN NULL
       ELSE 'order ' || i % 13 END
  FROM generate_series(1, 157) i;
UPDATE a SET body = repeat('word ', 3000) WHERE id IN (5, 77);
CREATE INDEX ON a (id);
CREATE INDEX ON a (n, body) WHERE length(body) < 100;
CREATE TABLE b (id int, aid int, note text);
INSERT INTO b SELECT i, i * 3 % 170, 'note ' || md5((i % 20)::text)
  FROM generate_series(1, 90) i;
CREATE TABLE p (id int, n int, body text, title text) PARTITION BY HASH (id);
CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE p2 PARTITION OF p FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO p SELECT * FROM a WHERE id < 90;
CREATE TABLE sink (id int, l text);
CREATE VIEW v WITH (security_barrier) AS
  SELECT id, n, body, title FROM a WHERE n <> 3;
CREATE FUNCTION twice(x text) RETURNS text LANGUAGE sql STABLE
  AS $$ SELECT classify($1) || classify($1, 'clf') $$;
CREATE FUNCTION loop_over(most int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r record; l text := '';
BEGIN
  FOR r IN SELECT id, classify(body) AS c FROM a WHERE id < most ORDER BY id
  LOOP l := l || coalesce(r.c, '-') || r.id; END LOOP;
  RETURN l;
END $$;
ANALYZE;
"""


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.alias = 0

    def pick(self, *choices):
        return self.random.choice(choices)

    def chance(self, share):
        return self.random.random() < share

    # --- expressions ------------------------------------------------------

    def text(self, source):
        column = source + '.' + self.pick(*self.columns[source])
        return self.pick(column, column, column, 'lower(%s)' % column,
                         "%s || ' x'" % column, 'left(%s, 9)' % column,
                         "%s || %s" % (column, column))

    def call(self, source):
        text = self.text(source)
        return self.pick(
            'classify(%s)' % text, 'classify(%s)' % text,
            "classify(%s, 'clf')" % text,
            "classify_score(%s, '%s')" % (text, self.label),
            "classify_score(%s, '%s', 'clf')" % (text, self.label),
            '(embed(%s))[1:2]' % text, "(embed(%s, 'emb'))[3]" % text,
            '(embed_query(%s))[2]' % text)

    def value(self, source):
        call = self.call(source)
        label = 'classify(%s)' % self.text(source)
        return self.pick(
            call, call, call, source + '.id', self.text(source),
            'length(%s)' % label, "upper(%s) || '!'" % label,
            'CASE WHEN %s.id %% 2 = 0 THEN %s END' % (source, label),
            "coalesce(%s, 'none')" % label, 'twice(%s)' % self.text(source),
            'classify(%s)' % label, '(%s) IS NULL' % call,
            '(SELECT %s || max(b9.id) FROM b b9 WHERE b9.id < %s.id)' % (
                label, source),
            "array[%s, 'k']" % label, '%s::text' % source)

    def condition(self, source, depth=0):
        if depth < 2 and self.chance(0.35):
            return '(%s %s %s)' % (self.condition(source, depth + 1),
                                   self.pick('AND', 'AND', 'OR'),
                                   self.condition(source, depth + 1))
        label = 'classify(%s)' % self.text(source)
        return self.pick(
            '%s.id > %d' % (source, self.random.randrange(60)),
            '%s.id < %d' % (source, self.random.randrange(160)),
            "%s = '%s'" % (label, self.label),
            "%s <> '%s'" % (label, self.label),
            "%s IN ('%s', 'x')" % (label, self.label),
            "classify_score(%s, '%s') > 0.3" % (self.text(source), self.label),
            '%s IS NOT NULL' % label, 'NOT (%s < %s)' % (
                label, 'classify(%s)' % self.text(source)),
            'EXISTS (SELECT 1 FROM b b8 WHERE b8.aid = %s.id)' % source,
            '%s = ANY (SELECT classify(note) FROM b WHERE aid = %s.id)' % (
                label, source))

    # --- queries ----------------------------------------------------------

    columns = {}

    def source(self):
        """FROM item and the alias that expressions use."""
        self.alias += 1
        name = 't%d' % self.alias
        self.columns[name] = ('body', 'title')
        kind = self.random.randrange(12)
        table = self.pick('a', 'a', 'p', 'v')
        if kind < 5:
            return '%s %s' % (table, name), name
        if kind == 5:
            return '%s %s %s JOIN b ON b.aid = %s.id' % (
                table, name, self.pick('', 'LEFT', 'FULL'), name), name
        if kind == 6:
            return ('%s %s, LATERAL (SELECT classify(note) AS l FROM b WHERE '
                    'b.aid = %s.id LIMIT 2) AS s' % (table, name, name), name)
        if kind == 7:
            return ('(SELECT id, n, body, classify(title) AS title FROM %s '
                    'OFFSET 0) %s' % (table, name), name)
        if kind == 8:
            return ('(SELECT * FROM a UNION ALL SELECT id, n, classify(body), '
                    'body FROM p) %s' % name, name)
        if kind == 9:
            return ("(VALUES (1, 2, 'one', 'uno'), (2, 3, NULL, 'dos'), "
                    "(3, 4, 'three', '')) %s (id, n, body, title)" % name, name)
        if kind == 10:
            return ("(SELECT g AS id, g AS n, 'text ' || g AS body, "
                    "'t' || g %% 4 AS title FROM generate_series(1, 40) g) %s"
                    % name, name)
        return ('%s %s JOIN a o ON o.id = %s.id + 1 AND classify(o.body) = '
                'classify(%s.body)' % (table, name, name, name), name)

    def select(self):
        source, name = self.source()
        where = ''
        if self.chance(0.6):
            where = ' WHERE ' + self.condition(name)
        style = self.random.randrange(10)
        if style == 0:
            key = 'classify(%s)' % self.text(name)
            having = self.pick('', ' HAVING count(*) > 1',
                               " HAVING classify(%s) <> 'x'" % key)
            return ('SELECT %s AS k, count(*), max(%s) FROM %s%s GROUP BY 1%s '
                    'ORDER BY 1' % (key, 'classify(%s)' % self.text(name),
                                    source, where, having))
        if style == 1:
            return ("SELECT string_agg(%s, ',' ORDER BY %s.id, 1), classify("
                    "min(%s)) FROM %s%s" % (
                        'classify(%s)' % self.text(name), name,
                        self.text(name), source, where))
        if style == 2:
            return ('SELECT %s.id, %s, row_number() OVER (PARTITION BY %s '
                    'ORDER BY %s.id, %s.title) FROM %s%s' % (
                        name, self.value(name),
                        'classify(%s)' % self.text(name), name, name, source,
                        where))
        values = ', '.join(self.value(name)
                           for _ in range(self.random.randrange(1, 4)))
        distinct = 'DISTINCT ' if self.chance(0.1) else ''
        text = 'SELECT %s%s.id, %s FROM %s%s' % (distinct, name, values, source,
                                                 where)
        if self.chance(0.4):
            text += ' ORDER BY 1, 2'
        if self.chance(0.05):
            # A row that fails; behind a LIMIT it may be read ahead.
            return ('SELECT %s.id, 1 / (%s.n - 2), %s FROM %s%s' % (
                name, name, values, source, where))
        if self.chance(0.3):
            text += ' LIMIT %d' % self.random.randrange(12)
            if self.chance(0.4):
                text += ' OFFSET %d' % self.random.randrange(9)
        if self.chance(0.1):
            text = 'WITH c AS MATERIALIZED (%s) SELECT * FROM c' % text
        return text

    def change(self):
        condition = self.condition('t')
        self.columns['t'] = ('body', 'title')
        table = self.pick('a', 'p')
        return self.pick(
            'UPDATE %s t SET title = %s WHERE %s RETURNING t.id, %s' % (
                table, 'classify(%s)' % self.text('t'), condition,
                self.value('t')),
            'UPDATE %s t SET (body, n) = (SELECT classify(t.body), t.n + 1) '
            'WHERE %s RETURNING id, body, n' % (table, condition),
            'DELETE FROM %s t WHERE %s RETURNING t.id, %s' % (
                table, condition, self.value('t')),
            'INSERT INTO sink SELECT t.id, %s FROM %s t WHERE %s '
            'RETURNING *' % ('classify(%s)' % self.text('t'), table, condition),
            'MERGE INTO sink USING (SELECT t.id, classify(t.body) AS l FROM '
            '%s t WHERE %s) s ON sink.id = s.id WHEN NOT MATCHED THEN INSERT '
            'VALUES (s.id, s.l)' % (table, condition))

    def statement(self):
        """SQL, its explainable part, and whether order counts."""
        self.columns = {'t': ('body', 'title')}
        self.alias = 0
        kind = self.random.randrange(20)
        query = self.select()
        if kind < 12:
            return query + ';', query, True
        if kind == 12:
            return ('PREPARE q AS %s; EXECUTE q; EXECUTE q; DEALLOCATE q;' %
                    query, query, True)
        if kind == 13:
            return ('BEGIN; DECLARE c CURSOR FOR %s; FETCH 3 FROM c; FETCH ALL '
                    'FROM c; ROLLBACK;' % query, query, True)
        if kind == 14:
            return ('BEGIN; DECLARE c SCROLL CURSOR FOR %s; FETCH 5 FROM c; '
                    'FETCH BACKWARD 2 FROM c; FETCH ALL FROM c; ROLLBACK;' %
                    query, query, True)
        if kind == 15:
            query = ('SELECT id, classify(body) FROM a WHERE id < %d ORDER BY '
                     'id FOR UPDATE' % self.random.randrange(160))
            return 'BEGIN; %s; ROLLBACK;' % query, query, True
        if kind == 16:
            return ('SELECT loop_over(%d);' % self.random.randrange(90),
                    None, True)
        if kind == 17:
            # Which rows workers bring first is a matter of luck.
            while 'LIMIT' in query:
                query = self.select()
            return ('SET max_parallel_workers_per_gather = 2; %s; SET '
                    'max_parallel_workers_per_gather = 0;' % query,
                    query, False)
        change = self.change()
        return ('BEGIN; %s; SELECT md5(string_agg(a::text, \'\' ORDER BY a)) '
                'FROM a; SELECT md5(string_agg(p::text, \'\' ORDER BY p)) FROM '
                'p; SELECT * FROM sink ORDER BY 1, 2; ROLLBACK;' % change,
                change, True)

    def settings(self):
        lines = ['RESET enable_%s;' % name for name in (
            'seqscan', 'hashjoin', 'mergejoin', 'nestloop', 'hashagg')]
        for name in ('seqscan', 'hashjoin', 'mergejoin', 'nestloop', 'hashagg'):
            if self.chance(0.15):
                lines.append('SET enable_%s = off;' % name)
        lines.append('SET insitu.batch_size = %d;' % self.pick(1, 2, 3, 8, 32))
        return ' '.join(lines)


PREAMBLE = r"""
\set VERBOSITY terse
SET client_min_messages = error;
SET insitu.default_classifier = 'clf';
SET insitu.default_embedder = 'emb';
SET plan_cache_mode = force_generic_plan;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 0;
"""


def run(cluster, statements, is_on):
    """Outputs by number."""
    # Tables of one size, or the planner may join in another order.
    script = ['VACUUM FULL; ANALYZE;', PREAMBLE]
    if is_on:
        script.append('SET insitu.batch_plans = on;')
    else:
        script.append('SET insitu.batch_plans = off; SET insitu.memo_size = 0;')
    for number, (settings, text, explained, _) in enumerate(statements):
        script.append(settings)
        if is_on and explained:
            script.append(r'\echo %s %d plan' % (MARK, number))
            script.append('EXPLAIN (COSTS OFF) %s;' % explained)
        script.append(r'\echo %s %d rows' % (MARK, number))
        # psql shows the last result only of several in one line.
        script.append(text)
        script.append(r'\echo %s' % MARK)
        script.append('ROLLBACK; DEALLOCATE ALL;')
    output = cluster.psql('\n'.join(script), check=False, options=[
        '-A', '-t', '-v', 'ON_ERROR_STOP=0'])
    parts = {}
    current = None
    for line in output.split('\n'):
        match = re.match(r'%s(?: (\d+) (\w+))?$' % MARK, line)
        if match:
            current = None
            if match.group(1):
                current = parts.setdefault(
                    (int(match.group(1)), match.group(2)), [])
        elif current is not None:
            # Errors name the place in the script.
            current.append(re.sub(r'^psql:[^ ]* ', '', line))
    return parts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--queries', type=int, default=400)
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    with Cluster(['autovacuum = off']) as cluster:
        return compare(cluster, options)


def prepare(cluster):
    for name, fixture in (('clf', 'encoder_bert_classify'),
                          ('emb', 'encoder_bert_mean')):
        path = os.path.join(cluster.directory, name)
        shutil.copytree(os.path.join(FIXTURES, fixture), path)
        os.chmod(path, 0o755)
        for file in os.listdir(path):
            full = os.path.join(path, file)
            os.chmod(full, 0o755 if os.path.isdir(full) else 0o644)
    cluster.psql('CREATE EXTENSION insitu;')
    for name in ('clf', 'emb'):
        cluster.psql("SELECT model_register('%s', '%s/%s');" % (
            name, cluster.directory, name))
    cluster.psql("SET insitu.default_classifier = 'clf';" + TABLES)
    return cluster.psql("SELECT label FROM classify_scores('x', 'clf') "
                        "LIMIT 1;", options=['-A', '-t']).strip()


def compare(cluster, options):
    Generator.label = prepare(cluster)
    generator = Generator(options.seed)
    differing = batched = failing = done = 0
    while done < options.queries:
        count = min(500, options.queries - done)
        statements = []
        for _ in range(count):
            text, explained, in_order = generator.statement()
            statements.append((generator.settings(), text, explained,
                               in_order))
        on = run(cluster, statements, True)
        off = run(cluster, statements, False)
        for number, (_, text, _, in_order) in enumerate(statements):
            ours = on.get((number, 'rows'))
            theirs = off.get((number, 'rows'))
            if not in_order and ours is not None and theirs is not None:
                ours, theirs = sorted(ours), sorted(theirs)
            plan = '\n'.join(on.get((number, 'plan'), []))
            batched += 'insitu batch' in plan
            failing += any('ERROR' in line for line in theirs or [])
            if ours is None or ours != theirs:
                differing += 1
                if differing <= 5:
                    print('# %s\n#   on:  %s\n#   off: %s' % (
                        text, str(ours)[:600], str(theirs)[:600]))
        done += count
        if options.queries > 1000:
            print('# %d queries, %d differ' % (done, differing), flush=True)
    print('1..2')
    print('%s 1 - %d queries give the same with batch plans (seed %d)' % (
        'not ok' if differing else 'ok', done, options.seed))
    print('%s 2 - %d plans have a batch scan, %d queries fail' % (
        'ok' if batched >= LEAST_BATCHED * done else 'not ok', batched,
        failing))
    return 1 if differing else 0


if __name__ == '__main__':
    sys.exit(main())
