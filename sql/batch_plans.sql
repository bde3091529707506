-- batch_plans.sql - plans that compute the results of many rows in one pass
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_classify'
\set emb :models '/encoder_bert_mean'
SELECT model_register('clf', :'clf') IS NOT NULL AS ok;
SELECT model_register('emb', :'emb') IS NOT NULL AS ok;
SET insitu.default_classifier = 'clf';
SET insitu.default_embedder = 'emb';
CREATE TABLE t (id int, n int, body text);
INSERT INTO t SELECT i, i % 5, 'text ' || i FROM generate_series(1, 100) i;
INSERT INTO t VALUES (101, 1, NULL);
ANALYZE t;
-- what EXPLAIN ANALYZE shows, without what depends on the machine
CREATE FUNCTION explain(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE
    'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query
  LOOP
    CONTINUE WHEN line ~ 'Memory|Tokens|Buckets|Buffers';
    -- PostgreSQL 18 counts rows in hundredths
    RETURN NEXT regexp_replace(line, '(rows=\d+)\.00', '\1');
  END LOOP;
END $$;

-- target list and condition
EXPLAIN (COSTS OFF) SELECT id, classify(body) FROM t;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE classify(body) = 'label-1' AND n < 3;
EXPLAIN (COSTS OFF) SELECT classify(body), embed(body, 'emb') FROM t
    WHERE classify_score(body, 'label-1') > 0.5;
-- a call that a condition has had is not computed again
SELECT explain('SELECT classify(body) FROM t WHERE classify(body) IS NOT NULL');
-- LIMIT reads little, and more rows come in larger batches
SELECT explain('SELECT classify(body) FROM t LIMIT 3');
SELECT explain('SELECT classify(body) FROM t LIMIT 20');
SELECT explain('SELECT classify(body) FROM t');
SET insitu.batch_size = 8;
SELECT explain('SELECT classify(body) FROM t');
RESET insitu.batch_size;
-- what stays as it is
EXPLAIN (COSTS OFF) SELECT CASE WHEN n > 2 THEN classify(body) END FROM t;
EXPLAIN (COSTS OFF) SELECT coalesce(body, classify(body)) FROM t;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE n = 1 OR classify(body) = 'label-1';
EXPLAIN (COSTS OFF) SELECT classify('constant') FROM t;
EXPLAIN (COSTS OFF) SELECT classify(body, body) FROM t;
EXPLAIN (COSTS OFF) SELECT classify(body || random()) FROM t;
EXPLAIN (COSTS OFF) SELECT max(classify(body)) FROM t;
EXPLAIN (COSTS OFF) SELECT classify((SELECT body FROM t t2 WHERE t2.id = t.id)) FROM t;
EXPLAIN (COSTS OFF) SELECT id, classify_scores(body) FROM t;
EXPLAIN (COSTS OFF) DECLARE c CURSOR FOR SELECT classify(body) FROM t;
SET insitu.batch_plans = off;
EXPLAIN (COSTS OFF) SELECT id, classify(body) FROM t;
RESET insitu.batch_plans;
-- a plan made earlier heeds the setting, too
PREPARE p AS SELECT count(classify(body)) FROM (SELECT body FROM t OFFSET 0) t;
PREPARE q AS SELECT id, classify(body) FROM t WHERE id < $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE q (3);
SELECT explain('EXECUTE q (9)');
SET insitu.batch_plans = off;
SELECT explain('EXECUTE q (9)');
RESET insitu.batch_plans;
-- without a memo nothing can be kept, and with errors for long texts nothing
-- may be read ahead
SET insitu.memo_size = 0;
SELECT explain('SELECT classify(body) FROM t');
RESET insitu.memo_size;
SET insitu.on_long_input = error;
SELECT explain('SELECT classify(body) FROM t');
RESET insitu.on_long_input;

-- the same rows with and without
CREATE TABLE r AS SELECT id, classify(body) AS l, (embed(body))[1:3] AS e FROM t;
SET insitu.batch_plans = off;
SET insitu.memo_size = 0;
SELECT count(*), count(l) FROM (
    SELECT id, classify(body) AS l, (embed(body))[1:3] AS e FROM t
    INTERSECT SELECT * FROM r) s;
RESET insitu.memo_size;
RESET insitu.batch_plans;
-- other nodes
EXPLAIN (COSTS OFF) SELECT classify(a.body || b.body) FROM t a JOIN t b USING (id);
EXPLAIN (COSTS OFF) SELECT n, classify(min(body)) FROM t GROUP BY n;
EXPLAIN (COSTS OFF) SELECT classify(body), count(*) FROM t GROUP BY 1;
EXPLAIN (COSTS OFF) SELECT id, classify(body) FROM t ORDER BY n LIMIT 2;
EXPLAIN (COSTS OFF) UPDATE t SET body = classify(body) WHERE n = 1;
EXPLAIN (COSTS OFF) SELECT classify(body) FROM t FOR UPDATE;
-- WHERE CURRENT OF finds its row
BEGIN;
DECLARE c CURSOR FOR SELECT id, classify(body) IS NULL AS l FROM t WHERE id < 3;
FETCH c;
DELETE FROM t WHERE CURRENT OF c RETURNING id;
ROLLBACK;
-- parallel workers have batches of their own
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT id, classify(body) FROM t;
SELECT count(*), count(l) FROM (SELECT classify(body) AS l FROM t OFFSET 0) s;
-- and what they did is in the sum, also when the Gather runs more than once,
-- when no worker starts, and when the leader does nothing; how the rows are
-- divided differs from run to run, and each process leaves out a row or two
-- that have no company
CREATE FUNCTION sum_texts(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; texts int[]; launched text; largest int;
BEGIN
  FOR line IN EXECUTE
    'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query
  LOOP
    IF line ~ 'Texts:' THEN
      texts := texts || substring(line, '\d+')::int;
    ELSIF line ~ 'Largest' THEN
      largest := substring(line, '\d+')::int;
    ELSIF line ~ 'Launched' THEN
      launched := substring(line, '\d+');
    END IF;
  END LOOP;
  RETURN format('%s launched, %s texts, largest %s', launched,
    (SELECT string_agg(CASE WHEN n BETWEEN 190 AND 200 THEN 'about 200'
                            WHEN n BETWEEN 590 AND 600 THEN 'about 600'
                            ELSE n::text END, ', ') FROM unnest(texts) n),
    CASE WHEN largest BETWEEN 8 AND 32 THEN 'in its bounds' ELSE largest::text END);
END $$;
CREATE TABLE u AS SELECT i AS id, 'words ' || i AS body FROM generate_series(1, 200) i;
ALTER TABLE u SET (parallel_workers = 2);
ANALYZE u;
EXPLAIN (COSTS OFF) SELECT id, classify(body) FROM u;
SELECT sum_texts('SELECT id, classify(body) FROM u');
SET parallel_leader_participation = off;
SELECT sum_texts('SELECT id, classify(body) FROM u');
RESET parallel_leader_participation;
SET max_parallel_workers = 0;
SELECT sum_texts('SELECT id, classify(body) FROM u');
RESET max_parallel_workers;
SET enable_material = off;
SELECT sum_texts('SELECT * FROM (VALUES (1), (2), (3)) v (i) LEFT JOIN LATERAL
    (SELECT count(*) FROM (SELECT classify(body) AS l, v.i AS j FROM u
                           WHERE id > 0 OFFSET 0) s WHERE l IS NOT NULL) w ON true');
RESET enable_material;
-- a LIMIT stops workers while they count
SELECT sum_texts('SELECT id, classify(body) FROM u LIMIT 1') IS NOT NULL AS ok;
-- and so does an error
DO $$ BEGIN
  PERFORM sum_texts('SELECT 1 / (id - 150), classify(body) FROM u');
  RAISE 'no error';
EXCEPTION WHEN division_by_zero THEN NULL;
END $$;
SELECT sum_texts('SELECT id, classify(body) FROM u');
DROP FUNCTION sum_texts;
DROP TABLE u;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
-- compiled expressions, where the server has them
SET jit = on;
SET jit_above_cost = 0;
SET jit_inline_above_cost = 0;
SET jit_optimize_above_cost = 0;
CREATE TEMP TABLE compiled AS
  SELECT id, classify(body) AS l, embed(body) AS e FROM t
   WHERE id * 2 > 7 AND classify_score(body, 'label-1') < 2;
SET jit = off;
SET insitu.batch_plans = off;
SELECT count(*) > 0 AS some, count(*) = count(c.id) AS same
  FROM (SELECT id, classify(body) AS l, embed(body) AS e FROM t
         WHERE id * 2 > 7 AND classify_score(body, 'label-1') < 2) s
  LEFT JOIN compiled c USING (id, l, e);
RESET insitu.batch_plans;
RESET jit;
RESET jit_above_cost;
RESET jit_inline_above_cost;
RESET jit_optimize_above_cost;
DROP TABLE compiled;
-- a row behind a LIMIT may be read ahead, but its calls fail in their turn
SET insitu.max_input_bytes = 2000;
INSERT INTO t VALUES (102, 0, repeat('long ', 1000));
SELECT count(*) FROM (SELECT classify(body) FROM t WHERE id > 99 LIMIT 3) s;
SELECT count(classify(body)) FROM (SELECT body FROM t WHERE id > 99) s;
SELECT id, classify(body) IS NULL FROM t WHERE id > 99;
RESET insitu.max_input_bytes;
-- rights are those of the call
CREATE ROLE reg_batch_nobody;
GRANT SELECT ON t TO reg_batch_nobody;
BEGIN;
REVOKE EXECUTE ON FUNCTION classify(text) FROM PUBLIC;
SET LOCAL ROLE reg_batch_nobody;
SELECT id, classify(body) FROM t;
ROLLBACK;
DROP TABLE t, r;
DROP FUNCTION explain;
DROP ROLE reg_batch_nobody;
SELECT model_drop('clf'), model_drop('emb');
