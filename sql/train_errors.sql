-- train_errors.sql - rows and options that a training refuses
\set models `echo "$INSITU_MODELS"`
\set mean :models '/encoder_bert_mean'
\set clf :models '/encoder_bert_classify'
SET client_min_messages = warning;
SELECT model_register('base', :'mean') IS NOT NULL AND
       model_register('clf', :'clf') IS NOT NULL AS ok;
SET insitu.default_embedder = 'base';
CREATE TABLE labelled AS
  SELECT n AS id, 'text ' || n AS body, chr(97 + n % 2) AS label,
         ARRAY[n, n % 7]::float8[] AS numbers
    FROM generate_series(1, 20) n;
SELECT model_register('numbers', train_tabular(label, VARIADIC numbers)) IS NOT NULL AS ok
  FROM labelled;

-- no rows
SELECT train_classifier(body, label) FROM labelled WHERE false;
SELECT fine_tune_classifier(body, label, 'base') FROM labelled WHERE false;
SELECT train_tabular(label, 1) FROM labelled WHERE false;
SELECT train_classifier(NULL, label) FROM labelled;
SELECT train_classifier(body, NULL::text) FROM labelled;
SELECT train_tabular(NULL, 1, 2) FROM labelled;
SELECT train_tabular(label, NULL::jsonb) FROM labelled;
-- one label
SELECT train_classifier(body, 'only') FROM labelled;
SELECT fine_tune_classifier(body, 'only', 'base') FROM labelled;
SELECT train_tabular('only', id) FROM labelled;
SELECT train_classifier(body, ARRAY[]::text[]) FROM labelled;
-- a label with one row is allowed
SELECT length(train_classifier(body, CASE id WHEN 1 THEN 'once' ELSE label END)) > 0 AS ok
  FROM labelled;
SELECT length(fine_tune_classifier(body, CASE id WHEN 1 THEN 'once' ELSE label END, 'base')) > 0 AS ok
  FROM labelled;
SELECT length(train_tabular(CASE id WHEN 1 THEN 'once' ELSE label END, id)) > 0 AS ok
  FROM labelled;
-- labels
SELECT train_classifier(body, repeat('x', 10000)) FROM labelled;
SELECT train_classifier(body, '') FROM labelled;
SELECT train_tabular('', id) FROM labelled;
SELECT train_classifier(body, ARRAY[label, '']) FROM labelled;
SELECT train_classifier(body, ARRAY[label, NULL]) FROM labelled;
SELECT train_classifier(body, ARRAY[[label], [label]]) FROM labelled;
SELECT length(train_classifier(body, repeat('x', 1000) || label)) > 0 AS ok FROM labelled;
SELECT length(train_classifier(body, ARRAY[label, label])) > 0 AS twice FROM labelled;
-- many of them
SELECT model_register('many', train_tabular('label ' || n, ARRAY[n, n % 100], '{"l2": 1}'))
       IS NOT NULL AS ok
  FROM generate_series(1, 2000) n;
SELECT count(*) FROM predict_scores('many', 1, 1);
SELECT train_tabular('label ' || n, n) FROM generate_series(1, 66000) n;
-- texts: the empty one is a text
SELECT length(train_classifier('', label)) > 0 AS ok FROM labelled;
SELECT train_classifier(repeat('x', 1048577), label) FROM labelled;
-- numbers
SELECT train_tabular(label, id, 'Infinity') FROM labelled;
SELECT length(train_tabular(label, id, 'NaN')) > 0 AS missing FROM labelled;
SELECT train_tabular(label, VARIADIC numbers[1:1 + id / 10]) FROM labelled;
SELECT train_tabular(label, VARIADIC '{}'::float8[]) FROM labelled;
SELECT train_tabular(label, VARIADIC ARRAY[numbers, numbers]) FROM labelled;
SELECT train_tabular(label, '{}'::jsonb) FROM labelled;
SELECT train_tabular(label, '[1, 2]'::jsonb) FROM labelled;
SELECT train_tabular(label, '{"a": {"b": 1}}'::jsonb) FROM labelled;
SELECT train_tabular(label, '{"a": 1e999}'::jsonb) FROM labelled;

-- base models
SELECT train_classifier(body, label, '{"encoder": "nosuch"}') FROM labelled;
SELECT train_classifier(body, label, '{"encoder": "clf"}') FROM labelled;
SELECT train_classifier(body, label, '{"encoder": "numbers"}') FROM labelled;
SELECT fine_tune_classifier(body, label, 'numbers') FROM labelled;
SELECT fine_tune_classifier(body, label, 'nosuch') FROM labelled;
SELECT fine_tune_classifier(body, label, '') FROM labelled;
SELECT fine_tune_classifier(body, label, NULL) FROM labelled;
SELECT fine_tune_classifier(body, label, CASE id WHEN 9 THEN 'clf' ELSE 'base' END) FROM labelled;
SELECT fine_tune_classifier(body, label, 'base', '{"encoder": "clf"}') FROM labelled;
SET insitu.default_embedder = 'clf';
SELECT train_classifier(body, label) FROM labelled;
SET insitu.default_embedder = 'base';

-- options
SELECT train_classifier(body, label, NULL) FROM labelled;
SELECT train_classifier(body, label, '[]') FROM labelled;
SELECT train_classifier(body, label, '{"nosuch": 1}') FROM labelled;
SELECT train_classifier(body, label, '{"head": "linear"}') FROM labelled;
SELECT train_classifier(body, label, '{"epochs": 3}') FROM labelled;
SELECT train_classifier(body, label, '{"folds": 1}') FROM labelled;
SELECT train_classifier(body, label, '{"l2": "much"}') FROM labelled;
SELECT train_classifier(body, label, jsonb_build_object('seed', id)) FROM labelled;
SELECT fine_tune_classifier(body, label, 'base', '{"epochs": 0}') FROM labelled;
SELECT fine_tune_classifier(body, label, 'base', '{"learning_rate": 100}') FROM labelled;
SELECT fine_tune_classifier(body, label, 'base', '{"patience": 2}') FROM labelled;
SELECT train_tabular(label, numbers, '{"epochs": 4}') FROM labelled;
SELECT train_tabular(label, '{"a": 1}'::jsonb, '{"positive": "nosuch"}') FROM labelled;
SELECT train_tabular(label, '{"a": 1}') FROM labelled;

-- memory
SET insitu.train_max_memory = '1MB';
SELECT train_classifier(repeat(body, 100000), label) FROM labelled;
SELECT fine_tune_classifier(repeat(body, 10000), label, 'base') FROM labelled;
SELECT train_tabular(label, VARIADIC array_fill(1.0::float8, ARRAY[10000])) FROM labelled;
SELECT length(train_tabular(label, VARIADIC numbers)) > 0 AS small FROM labelled;
\set VERBOSITY sqlstate
SET insitu.train_max_memory = '1kB';
\set VERBOSITY default
SELECT min_val, max_val FROM pg_settings WHERE name = 'insitu.train_max_memory';
RESET insitu.train_max_memory;

-- a name that is taken
SELECT model_register('base', train_classifier(body, label)) FROM labelled;

-- rights
CREATE ROLE insitu_trainer;
GRANT SELECT ON labelled TO insitu_trainer;
SELECT model_register('kept', :'mean', '{"restricted": true, "weights": "f32"}') IS NOT NULL AS ok;
SET ROLE insitu_trainer;
SELECT train_classifier(body, label) FROM labelled;
SELECT fine_tune_classifier(body, label, 'base') FROM labelled;
SELECT train_tabular(label, id) FROM labelled;
SET insitu.train_max_memory = '1GB';
SELECT count(*) FROM train_progress();
SELECT predict_label('numbers', 1, 2) IS NOT NULL AS ok;
RESET ROLE;
GRANT EXECUTE ON FUNCTION train_classifier(text, text, jsonb) TO insitu_trainer;
SET ROLE insitu_trainer;
SELECT length(train_classifier(body, label, '{"encoder": "base"}')) > 0 AS ok FROM labelled;
SELECT train_classifier(body, label, '{"encoder": "kept"}') FROM labelled;
RESET ROLE;
SELECT model_grant('kept', 'insitu_trainer');
SET ROLE insitu_trainer;
SELECT length(train_classifier(body, label, '{"encoder": "kept"}')) > 0 AS ok FROM labelled;
RESET ROLE;

SELECT count(*) FROM train_progress();
SELECT model_drop(name, false, true) FROM model_list() WHERE kind = 'stored' ORDER BY name;
DROP TABLE labelled;
DROP OWNED BY insitu_trainer;
DROP ROLE insitu_trainer;
