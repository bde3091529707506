-- interrupts.sql - interrupts about something else do not fail a statement
--
-- A request to log memory contexts stands for all that another session, or the
-- workers of a query, may want of this one; it waits when the next function of
-- the same row begins.
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_classify'
\set emb :models '/encoder_bert_mean'
\set interrupt pg_log_backend_memory_contexts(pg_backend_pid())
CREATE TABLE points AS
  SELECT n, 'a text ' || n AS body, chr(97 + n % 2) AS label,
         ARRAY[n % 2, n]::float8[] AS features,
         jsonb_build_object('x', n % 2, 'y', n) AS object
    FROM generate_series(1, 20) n;
SELECT :interrupt, length(model_register('clf', :'clf')) AS digest;
SELECT :interrupt, length(model_register('emb', :'emb')) AS digest;
SELECT :interrupt, length(model_register('copy', model_export('clf'))) AS digest;
SELECT :interrupt, model_verify('clf') AS stored;
SELECT :interrupt, model_verify('insitu-mini-en') AS bundled;
SELECT :interrupt, model_info('insitu-mini-en') IS NOT NULL AS info;
SELECT :interrupt, model_drop('copy');
-- trainings take them in the middle of the rows
SELECT length(model_register('array', train_tabular(CASE WHEN :interrupt THEN label END, features, '{}'))) AS digest
  FROM points;
SELECT length(model_register('object', train_tabular(CASE WHEN :interrupt THEN label END, object))) AS digest
  FROM points;
SELECT length(train_classifier(body, CASE WHEN :interrupt THEN label END, '{"encoder": "emb"}')) > 0 AS pack
  FROM points;
SELECT eval_accuracy(label, CASE WHEN :interrupt THEN label END) FROM points;
-- the first call loads the model
\c
SELECT :interrupt, classify(body, 'clf') = classify(body, 'clf') AS same FROM points WHERE n = 1;
SELECT :interrupt, embed(body, 'emb') IS NOT NULL AS embedded FROM points WHERE n = 1;
SELECT :interrupt, token_count(body, 'clf') FROM points WHERE n = 1;
SELECT :interrupt, explain_html(body, 'clf') IS NOT NULL AS html FROM points WHERE n = 1;
SELECT count(*) FROM points, LATERAL (SELECT :interrupt AS i, explain_classify(body, 'clf')) e
 WHERE i AND n = 1;
SELECT :interrupt, predict_label('array', VARIADIC features) FROM points WHERE n < 3;
SELECT :interrupt, predict_label('object', object) FROM points WHERE n < 3;
SELECT :interrupt, predict('array', VARIADIC features) > 0.5 AS b FROM points WHERE n < 3;
SELECT :interrupt, predict_row('object', object) > 0.5 AS b FROM points WHERE n < 3;
SELECT :interrupt, predict_scores('array', VARIADIC features) IS NOT NULL AS scores FROM points WHERE n = 1;
DROP TABLE points;
SELECT model_drop(name) FROM unnest('{clf,emb,array,object}'::text[]) name;
