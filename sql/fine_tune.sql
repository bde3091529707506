-- fine_tune.sql - an encoder that learns from labelled rows
\set models `echo "$INSITU_MODELS"`
\set mean :models '/encoder_bert_mean'
\set clf :models '/encoder_bert_classify'
\set distil :models '/encoder_distilbert_embed'
SET client_min_messages = warning;
SELECT model_register('base', :'mean') IS NOT NULL AND
       model_register('clf', :'clf') IS NOT NULL AND
       model_register('tuned-3', :'distil') IS NOT NULL AS ok;
-- of the words that these models know
CREATE TABLE labelled AS
  SELECT n AS id, CASE n % 2 WHEN 0 THEN 'kuga kuhi ' ELSE 'doga dojo ' END
         || (ARRAY['lega', 'moga', 'rezu', 'figa'])[1 + n % 4] AS body,
         CASE n % 2 WHEN 0 THEN 'cat' ELSE 'dog' END AS animal
    FROM generate_series(1, 40) n;
SELECT model_register('animals', fine_tune_classifier(body, animal, 'base',
         '{"epochs": 20, "learning_rate": 0.003, "patience": 0, "seed": 3}' ORDER BY id))
       IS NOT NULL AS ok
  FROM labelled;
SELECT classify('kuga kuhi nute', 'animals') AS cat,
       classify('doga dojo nute', 'animals') AS dog;
-- the encoder is another one
SELECT embed('kuga', 'animals') = embed('kuga', 'base') AS same;
SELECT model_info('animals')->'layers' = model_info('base')->'layers' AS as_deep;
-- the same rows in the same order give the same model
SELECT model_register('again', fine_tune_classifier(body, animal, 'base',
         '{"epochs": 20, "learning_rate": 0.003, "patience": 0, "seed": 3}' ORDER BY id))
       = model_info('animals')->>'digest' AS same
  FROM labelled;
-- other bases, without options; a classifier, an alias, a tuned one
SELECT model_alias('moving', 'base');
SELECT base, length(fine_tune_classifier(body, animal, base)) > 1000 AS ok
  FROM labelled, (VALUES ('animals'), ('clf'), ('tuned-3'), ('moving')) b (base)
 GROUP BY base ORDER BY base;
SELECT length(fine_tune_classifier(body, animal, 'base', '{"epochs": 1, "batch_size": 4,
         "warmup": 0.5, "weight_decay": 0, "dropout": 0, "token_dropout": 0.1, "max_tokens": 8,
         "freeze_layers": 1, "validation": 0.2, "patience": 1,
         "class_weights": "balanced", "weights": "f32"}')) > 1000 AS ok
  FROM labelled;
-- several labels per row
SELECT model_register('tags', fine_tune_classifier(body, ARRAY[animal, 'all'], 'base',
         '{"epochs": 2}' ORDER BY id)) IS NOT NULL AS ok
  FROM labelled;
SELECT label FROM classify_scores('x', 'tags') ORDER BY label;
SELECT length(fine_tune_classifier(body, ARRAY[animal], 'base' ORDER BY id)) > 1000 AS ok
  FROM labelled WHERE id < 10;
SELECT count(*) FROM train_progress();

SELECT model_drop('moving'), model_drop('animals', false, true),
       model_drop('tags', false, true), model_drop('base'), model_drop('clf'),
       model_drop('tuned-3'), model_drop('again', false, true);
DROP TABLE labelled;
