"""peers_sql.py - the databases of bench_peers.py: rows per second of embed().

SPDX-License-Identifier: PostgreSQL
"""
import os
import re
import shutil

from peers_engines import CORES, measure_rates

SETTINGS = ('SET jit = off; SET insitu.batch_plans = %s;'
            'SET max_parallel_workers_per_gather = %d;'
            'SET parallel_leader_participation = off;'
            'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;'
            'SET min_parallel_table_scan_size = 0;\n'
            "SELECT array_length(embed('warm', '%s'), 1);\n")
# Nanoseconds that this backend has had a core.
RAN = ("\nSELECT 'ran ' || split_part(pg_read_file("
       "'/proc/self/schedstat'), ' ', 1);\n")


class Postgres:
    """Rows are thrown away; a session's memo begins empty."""

    def __init__(self, cluster, geometry, texts):
        self.cluster = cluster
        self.name = geometry.name
        self.rows = geometry.rows
        self.table = geometry.name.replace('-', '_') + '_%d'
        source = os.path.join(cluster.directory, geometry.name)
        shutil.copytree(geometry.model, source)
        statements = ["CREATE EXTENSION IF NOT EXISTS insitu;"
                      "SELECT model_register('%s', '%s', "
                      "'{\"weights\": \"int8\"}');" % (self.name, source)]
        for length in self.rows:
            table = self.table % length
            bodies = ["('%s')" % body for n, body in texts if n == length]
            statements.append(
                'CREATE TABLE %s (id serial, body text) '
                'WITH (parallel_workers = 2);'
                'INSERT INTO %s (body) VALUES %s; ANALYZE %s;' % (
                    table, table, ',\n'.join(bodies), table))
        cluster.psql('\n'.join(statements))

    def explain(self, query, batch, workers):
        return self.cluster.psql(
            SETTINGS % (batch, workers, self.name) +
            RAN + 'EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) ' + query + RAN)

    def rate(self, query, length, batch='on', workers=0, by_clock=False):
        output = self.explain(query, batch, workers)
        match = re.search(r'Execution Time: ([\d.]+) ms', output)
        milliseconds = float(match.group(1))
        if not by_clock:
            before, after = map(int, re.findall(r'ran (\d+)', output))
            milliseconds = (after - before) / 1e6
        return 1000 * self.rows[length] / milliseconds

    def plain(self, length):
        return "SELECT id, embed(body, '%s') FROM %s;" % (
            self.name, self.table % length)

    def array(self, length):
        return ("SELECT * FROM embed_batch((SELECT array_agg(body) FROM %s), "
                "'%s');" % (self.table % length, self.name))

    def list_statements(self):
        """name -> function that returns rows per second"""
        statements = {}
        for length in self.rows:
            name = 'PostgreSQL, %d tokens, ' % length
            plain, array = self.plain(length), self.array(length)
            statements[name + 'plain SELECT'] = (
                lambda n=length, query=plain: self.rate(query, n))
            statements[name + 'scalar (batch_plans off)'] = (
                lambda n=length, query=plain: self.rate(query, n, 'off'))
            statements[name + 'array (embed_batch)'] = (
                lambda n=length, query=array: self.rate(query, n))
        if len(CORES) > 1:
            for name, workers in (('1 process', 0), ('2 workers', 2)):
                statements['PostgreSQL, 34 tokens, plain SELECT, %s, by the '
                           'clock' % name] = (
                    lambda workers=workers: self.rate(
                        self.plain(34), 34, 'on', workers, True))
        return statements


def rate_sqlite(worker, rows):
    return sum(rows / (seconds * share) for seconds, share, _ in
               measure_rates(worker, 'run 34 %d' % rows))


def list_statements(geometry, postgres, workers):
    statements = {}
    for worker in workers:
        rows = geometry.peer_rows
        if worker.name.startswith('insitu'):
            rows = geometry.rows[34] // 4
        statements['SQLite, 34 tokens, ' + worker.name] = (
            lambda worker=worker, rows=rows: rate_sqlite(worker, rows))
    statements.update(postgres.list_statements())
    return statements
