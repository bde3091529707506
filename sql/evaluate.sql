-- evaluate.sql - aggregates over predictions
CREATE TABLE p (id int, part int, predicted text, actual text);
INSERT INTO p VALUES
    (1, 1, 'a', 'a'), (2, 1, 'a', 'b'), (3, 1, 'b', 'b'), (4, 1, 'c', 'b'),
    (5, 2, 'b', 'b'), (6, 2, 'b', 'a'), (7, 2, NULL, 'a'), (8, 2, 'a', NULL);
SELECT eval_accuracy(predicted, actual) FROM p;
SELECT jsonb_pretty(eval_report(predicted, actual)) FROM p;
SELECT eval_confusion(predicted, actual) FROM p;
SELECT eval_report(predicted, actual)->'confusion' =
       eval_confusion(predicted, actual) AS same FROM p;

-- no rows, and no row without NULL
SELECT eval_accuracy(predicted, actual), eval_report(predicted, actual),
       eval_confusion(predicted, actual) FROM p WHERE false;
SELECT eval_accuracy(predicted, actual),
       eval_report(predicted, actual)->'nulls' AS nulls FROM p WHERE id > 6;
SELECT eval_html(predicted, actual) LIKE '%no rows%' AS says_so FROM p
 WHERE false;
SELECT part, eval_accuracy(predicted, actual) FROM p WHERE false GROUP BY part;

-- what aggregates can be asked
SELECT part, eval_accuracy(predicted, actual),
       eval_report(predicted, actual)->'rows' AS rows FROM p
 GROUP BY part ORDER BY part;
SELECT part, eval_accuracy(predicted, actual) FROM p
 GROUP BY ROLLUP (part) ORDER BY part;
SELECT eval_accuracy(predicted, actual) FILTER (WHERE part = 1) AS first,
       eval_confusion(predicted, actual) FILTER (WHERE id > 100) AS none FROM p;
SELECT eval_confusion(DISTINCT predicted, actual) FROM p;
SELECT eval_confusion(predicted, actual ORDER BY id DESC) =
       eval_confusion(predicted, actual ORDER BY id) AS same FROM p;
SELECT id, eval_accuracy(predicted, actual) OVER (ORDER BY id) AS so_far,
       eval_accuracy(predicted, actual) OVER (ORDER BY id
           ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS of_two
  FROM p ORDER BY id;
SELECT part FROM p GROUP BY part
HAVING eval_accuracy(predicted, actual) > 0.4 ORDER BY part;
SELECT eval_accuracy(v::varchar, v::name) FROM (VALUES ('x')) t (v);
SELECT eval_accuracy(v::text, '1') FROM (VALUES (1), (2)) t (v);

-- in parallel
CREATE TABLE many AS
SELECT n % 1000 AS part, 'label ' || (n * 7919) % 83 AS actual,
       CASE n % 100 WHEN 0 THEN NULL
            ELSE 'label ' || (n * 7919 + (n % 3) / 2 * n % 11) % 83
       END AS predicted, (n % 1001) / 1000.0 AS score
  FROM generate_series(1, 20000) n;
SET max_parallel_workers_per_gather = 0;
SELECT md5(eval_report(predicted, actual)::text) AS report,
       md5(eval_html(predicted, actual)) AS html,
       md5(eval_calibration(score, predicted = actual)::text) AS calibration
  FROM many \gset serial_
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
EXPLAIN (COSTS OFF)
SELECT eval_report(predicted, actual), eval_html(predicted, actual),
       eval_calibration(score, predicted = actual) FROM many;
SELECT md5(eval_report(predicted, actual)::text) = :'serial_report' AS report,
       md5(eval_html(predicted, actual)) = :'serial_html' AS html,
       md5(eval_calibration(score, predicted = actual)::text) =
           :'serial_calibration' AS calibration FROM many;
SELECT eval_accuracy(predicted, actual), eval_calibration(score, true)->'rows'
  FROM many WHERE part < 0;
-- many groups
EXPLAIN (COSTS OFF)
SELECT part, eval_accuracy(predicted, actual) FROM many GROUP BY part;
SELECT count(*), sum((r->>'rows')::int + (r->>'nulls')::int) FROM
    (SELECT eval_report(predicted, actual) AS r FROM many GROUP BY part) s;
-- the share that count(*) gives
SELECT count(*) FROM
    (SELECT part, eval_accuracy(predicted, actual) AS a,
            count(*) FILTER (WHERE predicted = actual) AS hits,
            count(predicted) AS rows FROM many GROUP BY part) s
 WHERE a IS DISTINCT FROM hits::float8 / NULLIF(rows, 0);
RESET ALL;
-- one state for both
SELECT aggfnoid, aggkind, aggtransfn, aggfinalfn, aggcombinefn, aggserialfn,
       aggdeserialfn, aggfinalmodify
  FROM pg_aggregate WHERE aggfnoid::text LIKE 'eval%'
 ORDER BY aggfnoid::text COLLATE "C";

-- calibration
SELECT eval_calibration(score, hit) - 'bins' AS figures,
       eval_calibration(score, hit)->'bins'->9 AS last
  FROM (VALUES (0.9, true), (0.95, false), (1, true), (0, false),
               (NULL, true), (0.5, NULL)) t (score, hit);
SELECT eval_calibration(1.5, true);
SELECT eval_calibration('NaN', true);
SELECT eval_calibration(NULL, NULL)->'nulls' AS nulls;

-- the page
SELECT html LIKE '<!DOCTYPE html>%</html>_' AS whole,
       html NOT LIKE '%<script%' AND html LIKE '%&lt;script&gt;%' AS escaped
  FROM (SELECT eval_html(l, l) AS html FROM
        (VALUES ('<script>alert(1)</script>'), ('"b" & ''c''')) t (l)) s;

-- errors
SELECT eval_accuracy(repeat('x', 10241), 'a');
SELECT eval_accuracy(1, 2);
SELECT eval_report(n::text, 'a') FROM generate_series(1, 70000) n;
SELECT eval_report((n / 1000)::text, (n % 1000)::text)
  FROM generate_series(0, 1001000) n;
SELECT insitu.evaluation_accuracy(NULL);
SELECT insitu.evaluation_load('\x00', NULL);
-- counting is stopped as everything is
SET statement_timeout = '200ms';
SELECT length(eval_html(n::text, (n * 31 % 60000)::text)) FROM
    generate_series(1, 60000) n, generate_series(1, 100);
RESET statement_timeout;
DROP TABLE p, many;
