-- window.sql - the rows of a frame run together; the result is that of the
-- first one
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_classify'
\set emb :models '/encoder_bert_mean'
SELECT model_register('clf', :'clf') IS NOT NULL AS ok;
SELECT model_register('emb', :'emb') IS NOT NULL AS ok;
CREATE TEMP TABLE t AS
    SELECT n AS id, n % 3 AS kind, n * 7 % 40 AS place,
           CASE WHEN n % 7 <> 3 THEN repeat('the cat ', n % 5) || n END AS body
      FROM generate_series(1, 200) n;
SET insitu.default_classifier = 'clf';
SET insitu.default_embedder = 'emb';
SET insitu.memo_size = 0;

-- batches
CREATE FUNCTION pg_temp.calls() RETURNS bigint LANGUAGE sql AS
'SELECT calls FROM model_stats() WHERE digest = model_info(''clf'')->>''digest''';
SELECT count(classify('a')) FROM generate_series(1, 1);
SELECT pg_temp.calls() AS before \gset
SELECT count(label) FROM (SELECT classify_window(body) OVER (ORDER BY id ROWS
    BETWEEN CURRENT ROW AND 31 FOLLOWING) AS label FROM t) s;
SELECT pg_temp.calls() - :before <= 8 AS few;
SELECT pg_temp.calls() AS before \gset
SELECT classify_window(body) OVER (ORDER BY id ROWS
    BETWEEN CURRENT ROW AND 31 FOLLOWING) IS NOT NULL AS ok FROM t LIMIT 2;
SELECT pg_temp.calls() - :before AS calls;

-- any frame gives what first_value gives
CREATE FUNCTION pg_temp.differences(over text, size bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE found bigint;
BEGIN
    PERFORM set_config('insitu.batch_size', size::text, false);
    EXECUTE format('SELECT count(*) FROM (SELECT
        classify_window(body) OVER w AS a, classify(first_value(body) OVER w) AS b,
        embed_window(body, ''emb'') OVER w AS c, embed(first_value(body) OVER w) AS d,
        classify_score_window(body, ''label-1'', ''clf'') OVER w AS e,
        classify_score(first_value(body) OVER w, ''label-1'') AS f
        FROM t WINDOW w AS (%s)) s
        WHERE a IS DISTINCT FROM b OR (c IS NULL) <> (d IS NULL)
           OR cosine_distance(c, d) > 1e-6 OR (e IS NULL) <> (f IS NULL)
           OR abs(e - f) > 1e-5', over) INTO found;
    RETURN found;
END $$;
SELECT over, n % 3 * 15 + 1 AS size, pg_temp.differences(over, n % 3 * 15 + 1)
  FROM unnest(ARRAY['', 'ORDER BY id', 'ORDER BY id DESC', 'PARTITION BY kind',
        'PARTITION BY kind ORDER BY id ROWS BETWEEN CURRENT ROW AND 31 FOLLOWING',
        'ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING',
        'ORDER BY id ROWS BETWEEN 5 PRECEDING AND 5 FOLLOWING',
        'ORDER BY id ROWS BETWEEN 5 PRECEDING AND 2 PRECEDING',
        'ORDER BY id ROWS BETWEEN 2 FOLLOWING AND 9 FOLLOWING',
        'ORDER BY id ROWS BETWEEN 90 FOLLOWING AND 99 FOLLOWING',
        'ORDER BY place RANGE BETWEEN 3 PRECEDING AND 3 FOLLOWING',
        'ORDER BY kind GROUPS BETWEEN 1 FOLLOWING AND 1 FOLLOWING',
        'ORDER BY body ROWS BETWEEN CURRENT ROW AND 9 FOLLOWING',
        'ORDER BY id ROWS BETWEEN CURRENT ROW AND 9 FOLLOWING EXCLUDE CURRENT ROW',
        'ORDER BY kind ROWS BETWEEN CURRENT ROW AND 9 FOLLOWING EXCLUDE TIES'])
       WITH ORDINALITY o(over, n) ORDER BY n;
RESET insitu.batch_size;

-- the label may change from row to row, the model may not
SELECT count(*) FROM (SELECT
    classify_score_window(body, label) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND 9 FOLLOWING) AS a,
    classify_score(body, label) AS b FROM
    (SELECT *, CASE WHEN id % 4 < 3 THEN 'label-' || id % 4 END AS label FROM t) l) s
 WHERE (a IS NULL) <> (b IS NULL) OR abs(a - b) > 1e-5;
SELECT classify_window(body, CASE id WHEN 9 THEN 'emb' ELSE 'clf' END) OVER () FROM t;
SELECT classify_window(body, NULL) OVER () FROM t LIMIT 1;
SELECT classify_window(body, 'emb') OVER () FROM t;
SELECT classify_window(body, 'none') OVER () FROM t;
SELECT classify_score_window(body, 'none') OVER () FROM t;
SELECT classify_window(body) FROM t;
SELECT classify_window(body) OVER () FROM t WHERE false;
SET insitu.on_long_input = error;
SELECT classify_window(repeat('the cat ', 1000)) OVER () FROM t;
RESET insitu.on_long_input;

-- the default changes while the query runs
CREATE FUNCTION pg_temp.change(id integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF id = 10 THEN PERFORM set_config('insitu.default_embedder', 'clf', false); END IF;
    RETURN true;
END $$;
SELECT embed_window(body) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND 31 FOLLOWING) IS NULL,
       pg_temp.change(id) FROM t ORDER BY id;
SELECT model_drop('clf'), model_drop('emb');
