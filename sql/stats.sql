-- stats.sql - counters
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_relu'
SELECT model_register('counted', :'clf') IS NOT NULL AS ok;
SELECT count(*) FROM model_stats() WHERE name = 'counted' AND calls > 0;
CREATE FUNCTION pg_temp.count(OUT loads bigint, OUT calls bigint,
    OUT rows bigint, OUT errors bigint) LANGUAGE sql AS
'SELECT loads, calls, rows, errors FROM model_stats() WHERE name = ''counted''';
SELECT * FROM pg_temp.count();
-- tokens are not inference; a row is counted once
CREATE TEMP TABLE texts AS SELECT 'text ' || n AS body FROM generate_series(1, 10) n;
SELECT count(token_count(body, 'counted')) FROM texts;
SELECT * FROM pg_temp.count();
SET insitu.default_classifier = 'counted';
SELECT count(classify(body)) FROM texts;
SELECT * FROM pg_temp.count();
SELECT count(*) FROM classify_batch((SELECT array_agg(body) FROM texts));
SELECT * FROM pg_temp.count();
SELECT (s).label IS NOT NULL AND (s).score > 0 AS ok
  FROM (SELECT classify_scores(body) AS s FROM texts LIMIT 1) x LIMIT 1;
SELECT * FROM pg_temp.count();
SET insitu.on_long_input = error;
SELECT classify(repeat('x ', 1000), 'counted');
RESET insitu.on_long_input;
SELECT * FROM pg_temp.count();
RESET insitu.default_classifier;
SELECT tokens > 0 AS tokens, milliseconds > 0 AS milliseconds
  FROM model_stats() WHERE name = 'counted';
SELECT model_drop('counted');
