"""peers_report.py - the tables of bench_peers.py.

rates: (engine, case) -> [texts/s of each round]; sql: name -> the same.

SPDX-License-Identifier: PostgreSQL
"""
import statistics

from peers_setup import BESIDE_SQL

INSITU, ONNX = 'insitu int8', 'onnxruntime int8'


def describe_spread(cells):
    """How far rounds of one cell lie apart, of its median."""
    spreads = sorted((max(values) - min(values)) / statistics.median(values)
                     for values in cells if len(values) > 1)
    if not spreads:
        return 'not known from one round'
    return '%.0f %% for the middle cell, %.0f %% for the worst' % (
        100 * statistics.median(spreads), 100 * spreads[-1])


def make_table(title, engines, cases, rates, with_cosine):
    lines = ['| texts/s, %s | ' % title + ' | '.join(
        label + ' tokens' for label in cases) +
        (' | cosine |' if with_cosine else ' |'),
        '|---' * (len(cases) + 1 + with_cosine) + '|']
    for engine in engines:
        cells = ['%.1f' % statistics.median(rates[engine.name, label])
                 for label in cases]
        if with_cosine:
            cells.append('%.5f' % engine.cosine)
        name = (engine.name + ' ' + (engine.version or '')).strip()
        lines.append('| %s | %s |' % (name if with_cosine else engine.name,
                                      ' | '.join(cells)))
    return lines


def make_sql_table(sql, workers):
    lines = ['| SQL, insitu in int8 | rows/s (lowest–highest) |', '|---|---|']
    for name, values in sql.items():
        lines.append('| %s | %.1f (%.1f–%.1f) |' % (
            name, statistics.median(values), min(values), max(values)))
    peers = [worker for worker in workers
             if worker.cosine and 'threads' not in worker.name]
    return lines + ['', 'Cosine with insitu f32, in SQLite: ' + ', '.join(
        '%s %.5f' % ((worker.name + ' ' + worker.version).strip(),
                     worker.cosine) for worker in peers) + '.']


# --- targets ------------------------------------------------------------------

def ratio_of(above, below):
    """The median of the rounds' ratios: both were measured together."""
    if not above or not below:
        return None
    return statistics.median(a / b for a, b in zip(above, below))


def list_core_targets(rates):
    """(what, ratio reached or None, wanted)"""
    def core(case, wanted, left=INSITU, right=ONNX):
        return ('%s tokens, %s / %s' % (case, left, right),
                ratio_of(rates.get((left, case)), rates.get((right, case))),
                wanted)

    return [core('1 × 32', 1.5), core('1 × 128', 1.4), core('32 × 32', 1.4),
            core('32 × 4..128', 3.0),
            ('32 × 4..128 tokens, insitu int8 / onnxruntime int8 without '
             'padding, one by one',
             ratio_of(rates.get((INSITU, '32 × 4..128')),
                      rates.get((ONNX, '1 × 4..128'))), 1.4),
            core('1 × 32', 1.0, 'insitu f32', 'onnxruntime f32'),
            core('1 × 32', 1.0, INSITU + ', 2 processes',
                 ONNX + ', 2 processes')]


def list_sql_targets(rates, sql):
    def choose(name, length=34, database='PostgreSQL'):
        return sql.get('%s, %d tokens, %s' % (database, length, name))

    plain = choose('plain SELECT')
    peers = [sql[name] for name in sql
             if 'q8_0' in name and 'threads' not in name]
    fastest = max(peers, key=statistics.median) if peers else None
    return [
        ('SQLite insitu int8 / faster of the q8_0 peers',
         ratio_of(choose(INSITU, 34, 'SQLite'), fastest), 7.0),
        ('PostgreSQL plain SELECT / core, %s tokens' % BESIDE_SQL,
         ratio_of(plain, rates.get((INSITU, BESIDE_SQL))), 0.95),
        ('PostgreSQL plain SELECT / scalar, 8 tokens',
         ratio_of(choose('plain SELECT', 8),
                  choose('scalar (batch_plans off)', 8)), 1.3),
        ('PostgreSQL, 2 workers / 1 process',
         ratio_of(choose('plain SELECT, 2 workers, by the clock'),
                  choose('plain SELECT, 1 process, by the clock')), 1.8)]


def list_targets(geometry, rates, sql, peak):
    rate = statistics.median(rates[INSITU, '1 × 32'])
    linear = 2 * geometry.count_products() * 32 * rate / 1e9
    # What a text's products would take at the peak, of all its time.
    share = ('1 × 32 tokens, products with weights over the whole time / int8 '
             'peak (inside the products alone it is more)',
             linear / peak[0] if peak[0] else None, 0.8)
    return list_core_targets(rates) + list_sql_targets(rates, sql) + [share]


def format_targets(targets):
    lines = ['| target | reached | wanted | |', '|---|---|---|---|']
    for what, reached, wanted in targets:
        if reached is None:
            lines.append('| %s | – | %.2f | not measured |' % (what, wanted))
        else:
            lines.append('| %s | %.2f | %.2f | %s |' % (
                what, reached, wanted,
                'pass' if reached >= wanted else 'miss'))
    return lines
