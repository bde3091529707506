-- batch.sql - arrays of texts
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_classify'
\set emb :models '/encoder_bert_mean'
SELECT model_register('clf', :'clf') IS NOT NULL AS ok;
SELECT model_register('emb', :'emb') IS NOT NULL AS ok;

SELECT b.i, b.label = classify(t.body, 'clf') AS label,
       abs(b.score - classify_score(t.body, b.label, 'clf')) < 1e-5 AS score
  FROM unnest(ARRAY['a', NULL, '', 'the cat sat']) WITH ORDINALITY t(body, n),
       classify_batch(ARRAY['a', NULL, '', 'the cat sat'], 'clf') b
 WHERE b.i = t.n ORDER BY b.i;
SELECT b.i, embedding IS NULL AS is_null,
       cosine_distance(embedding, embed(t.body, 'emb')) < 1e-6 AS same
  FROM unnest(ARRAY['a', NULL, '', 'the cat sat']) WITH ORDINALITY t(body, n),
       embed_batch(ARRAY['a', NULL, '', 'the cat sat'], 'emb') b
 WHERE b.i = t.n ORDER BY b.i;

-- shapes
SELECT * FROM classify_batch('{}', 'clf');
SELECT * FROM classify_batch(NULL, 'clf');
SELECT i, label FROM classify_batch(ARRAY[NULL, NULL]::text[], 'clf');
SELECT i FROM classify_batch('[-5:-4]={a,b}'::text[], 'clf');
SELECT * FROM classify_batch(ARRAY[['a', 'b'], ['c', 'd']], 'clf');
SELECT count(*), min(i), max(i), count(label)
  FROM classify_batch(array_fill('a'::text, ARRAY[1000]), 'clf');
SELECT count(*) FROM classify_batch(array_fill(NULL::text, ARRAY[100000]), 'clf');
SELECT count(*) FROM classify_batch(array_fill('a'::text, ARRAY[100001]), 'clf');
SELECT count(*) FROM classify_batch(ARRAY['a', repeat('a', 1100000)], 'clf');
SELECT count(*) FROM embed_batch('{}', 'emb');

-- any number of texts per pass gives the same
CREATE TEMP TABLE texts AS
SELECT n, repeat('word ', n % 7) || n AS body FROM generate_series(1, 100) n;
SET insitu.batch_size = 1;
CREATE TEMP TABLE one AS SELECT b.* FROM
  (SELECT array_agg(body ORDER BY n) AS all FROM texts) t,
  classify_batch(t.all, 'clf') b;
SET insitu.batch_size = 7;
CREATE TEMP TABLE seven AS SELECT b.* FROM
  (SELECT array_agg(body ORDER BY n) AS all FROM texts) t,
  classify_batch(t.all, 'clf') b;
SELECT count(*), bool_and(one.label = seven.label) AS labels,
       bool_and(abs(one.score - seven.score) < 1e-5) AS scores
  FROM one JOIN seven USING (i);
SET insitu.batch_size = 0;
SET insitu.batch_size = 100000;
RESET insitu.batch_size;

-- fewer rows than there are, and from an abandoned cursor
SELECT i FROM classify_batch(ARRAY['a', 'b', 'c'], 'clf') LIMIT 1;
BEGIN;
DECLARE c CURSOR FOR SELECT i FROM classify_batch(ARRAY['a', 'b'], 'clf');
FETCH 1 FROM c;
SAVEPOINT s;
SELECT 1 / 0;
ROLLBACK TO s;
FETCH 1 FROM c;
ROLLBACK;

SELECT model_drop('clf'), model_drop('emb');
