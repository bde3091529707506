-- contexts.sql - everywhere that SQL takes an expression
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_classify'
\set distil :models '/encoder_distilbert_classify'
SELECT model_register('clf', :'clf') IS NOT NULL AS ok;
SELECT model_register('distil', :'distil') IS NOT NULL AS ok;
CREATE TABLE t (id int, body text);
INSERT INTO t SELECT n, 'text ' || n % 5 FROM generate_series(1, 50) n;

-- generated column over the bundled model
CREATE TABLE g (body text, label text GENERATED ALWAYS AS
    (classify(body, 'insitu-mini-en')) STORED);
INSERT INTO g VALUES ('where is my parcel?'), (NULL);
SELECT label = classify(body) AS same FROM g;
DROP TABLE g;
-- what is not immutable is refused
CREATE TABLE g (body text, label text GENERATED ALWAYS AS (classify(body)) STORED);

-- expression index
CREATE INDEX t_label ON t (classify(body, 'clf'));
ALTER INDEX t_label ALTER COLUMN 1 SET STATISTICS 0;
ANALYZE t;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE classify(body, 'clf') = 'label-1';
SELECT (SELECT count(*) FROM t WHERE classify(body, 'clf') = 'label-1') +
       (SELECT count(*) FROM t WHERE classify(body, 'clf') = 'label-2') +
       (SELECT count(*) FROM t WHERE classify(body, 'clf') = 'label-0') AS all;
RESET enable_seqscan;
REINDEX INDEX t_label;
REINDEX INDEX CONCURRENTLY t_label;
VACUUM t;
DROP INDEX t_label;
CREATE INDEX t_label ON t (classify(body));

-- constraint, default, trigger
ALTER TABLE t ADD CONSTRAINT c CHECK (classify(body, 'clf') IS NOT NULL);
INSERT INTO t VALUES (51, 'x');
ALTER TABLE t DROP CONSTRAINT c;
ALTER TABLE t ADD COLUMN label text;
CREATE FUNCTION set_label() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN NEW.label := classify(NEW.body, 'clf'); RETURN NEW; END$$;
CREATE TRIGGER set_label BEFORE INSERT OR UPDATE OF body ON t
    FOR EACH ROW EXECUTE FUNCTION set_label();
UPDATE t SET body = body || '!' WHERE id < 10;
SELECT count(*), bool_and(label = classify(body, 'clf')) FROM t
 WHERE label IS NOT NULL;

-- view, aggregate, window, lateral, case, subquery, join
CREATE VIEW v AS SELECT id, classify(body, 'clf') AS label FROM t;
SELECT count(*) = 51 AS all, bool_and(label LIKE 'label-%') FROM v;
SELECT sum(n) FROM (SELECT classify(body, 'clf'), count(*) AS n FROM t GROUP BY 1) x;
SELECT count(*) FILTER (WHERE classify(body, 'clf') IS NOT NULL) FROM t;
SELECT count(*) FROM (SELECT row_number() OVER
    (PARTITION BY classify(body, 'clf')) FROM t) x;
SELECT count(*) FROM t, classify_scores(t.body, 'clf') s;
SELECT count(*) FROM t, LATERAL (SELECT classify(t.body, m) AS l
  FROM unnest(ARRAY['clf', 'distil']) m) x WHERE l IS NOT NULL;
SELECT count(CASE WHEN id > 40 THEN classify(body, 'clf') END) FROM t;

-- prepared, generic plan
PREPARE p(text, text) AS SELECT classify($1, $2) IS NOT NULL AS ok;
SET plan_cache_mode = force_generic_plan;
EXECUTE p('a', 'clf');
EXECUTE p('a', 'distil');
EXECUTE p('a', 'nosuch');
RESET plan_cache_mode;
DEALLOCATE p;

-- cursors
BEGIN;
DECLARE c SCROLL CURSOR WITH HOLD FOR
    SELECT id, classify(body, 'clf') LIKE 'label-%' AS ok FROM t ORDER BY id;
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
COMMIT;
FETCH 1 FROM c;
CLOSE c;

-- many failures in EXCEPTION blocks leak nothing
DO $$
DECLARE
    before bigint;
    after bigint;
    n int := 0;
BEGIN
    PERFORM classify('x', 'clf');
    FOR i IN 1..3 LOOP
        SELECT sum(total_bytes) INTO before FROM pg_backend_memory_contexts
         WHERE name LIKE 'insitu%';
        FOR j IN 1..1000 LOOP
            BEGIN
                PERFORM classify_score('x', 'nosuch', 'clf');
            EXCEPTION WHEN invalid_parameter_value THEN n := n + 1;
            END;
            BEGIN
                PERFORM embed('x', 'clf');
            EXCEPTION WHEN wrong_object_type THEN n := n + 1;
            END;
        END LOOP;
        SELECT sum(total_bytes) INTO after FROM pg_backend_memory_contexts
         WHERE name LIKE 'insitu%';
    END LOOP;
    RAISE NOTICE '% errors, grown by %', n, after - before;
END$$;

-- a loop that changes the model under itself
DO $$
DECLARE
    one text;
    two text;
BEGIN
    PERFORM model_alias('moving', 'clf');
    PERFORM set_config('insitu.default_classifier', 'moving', true);
    FOR i IN 1..3 LOOP
        PERFORM model_alias('moving', 'clf');
        one := classify('a text');
        PERFORM model_alias('moving', 'distil');
        two := classify('a text');
        IF one <> classify('a text', 'clf')
           OR two <> classify('a text', 'distil') THEN
            RAISE EXCEPTION 'stale';
        END IF;
    END LOOP;
    PERFORM model_drop('moving');
END$$;

-- just-in-time compilation
SET jit = on;
SET jit_above_cost = 0;
SELECT count(classify(body, 'clf')) FROM t;
RESET jit_above_cost;
RESET jit;

-- parallel workers
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT name AS parallel_mode FROM pg_settings
WHERE name IN ('force_parallel_mode', 'debug_parallel_query') \gset
SET :parallel_mode = on;
ALTER TABLE t SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT count(classify(body, 'clf')) FROM t;
SELECT count(classify(body, 'clf')) FROM t;
SET insitu.default_classifier = 'distil';
SELECT count(*) FROM t WHERE classify(body) = classify(body, 'distil');
SELECT count(*) FROM t WHERE classify(body, 'nosuch') = 'x';
RESET insitu.default_classifier;
RESET :parallel_mode;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

-- the model runs after the sort and only on the rows of the limit
EXPLAIN (COSTS OFF, VERBOSE)
SELECT id, classify(body, 'clf') FROM t ORDER BY id LIMIT 5;

DROP TABLE t CASCADE;
DROP FUNCTION set_label;
SELECT model_drop('clf'), model_drop('distil');
