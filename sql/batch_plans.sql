-- batch_plans.sql - plans that compute the results of many rows in one pass
\getenv models INSITU_MODELS
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
    CONTINUE WHEN line ~ 'Memory|Tokens|Buckets';
    RETURN NEXT line;
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
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
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
