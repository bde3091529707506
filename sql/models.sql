-- models.sql - dropping, naming and describing models
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_classify'
\set distil :models '/encoder_distilbert_classify'
\set emb :models '/encoder_bert_mean'
SELECT model_register('one', :'clf') AS digest \gset
SELECT model_register('two', :'distil') IS NOT NULL AS ok;

-- aliases
SELECT model_alias('now', 'one');
SELECT name, kind, target FROM model_list()
 WHERE kind <> 'bundled' ORDER BY name;
SELECT classify('a text', 'now');
SELECT i FROM classify_batch(ARRAY['a'], 'now');
SET insitu.default_classifier = 'now';
SELECT classify('a text') = classify('a text', 'one') AS first;
SELECT model_alias('now', 'two');
SELECT classify('a text') = classify('a text', 'two') AS second;
SELECT model_info('now')->>'name' AS name;
SELECT model_alias('other', 'now');
SELECT model_alias('other', 'nosuch');
SELECT model_alias('one', 'two');
SELECT model_alias('Bad Name', 'two');
SELECT model_alias('insitu-mini-en', 'two');
SELECT model_register('now', :'emb');
SELECT model_drop('two');
-- within one transaction
BEGIN;
SELECT model_alias('now', 'one');
SELECT classify('a text') = classify('a text', 'one') AS first;
ROLLBACK;
SELECT classify('a text') = classify('a text', 'two') AS second;
SELECT model_drop('now');
SELECT classify('a text');
RESET insitu.default_classifier;

-- dropped names
SELECT model_drop('one');
SELECT classify('a text', 'one');
SELECT model_drop('one');
SELECT model_drop('one', false);
SELECT model_drop('one', true);
SELECT model_register('one', :'emb');
SELECT model_register('one', :'clf') = :'digest' AS the_same_may_return;
SELECT classify('a text', 'one') IS NOT NULL AS works;
SELECT model_drop('one', false, true);
SELECT model_register('one', :'emb') = :'digest' AS other_bytes;
SELECT model_drop('one');
SELECT model_drop('one', false, true) AS forgets_what_was_dropped;
SELECT model_register('one', :'clf') = :'digest' AS same;
SELECT model_drop('nosuch');
SELECT model_drop('nosuch', true), model_drop('No Such', true);
SELECT model_drop('insitu-mini-en');
-- equal packs share their parts
SELECT model_register('three', :'clf') = :'digest' AS same;
SELECT model_drop('one');
SELECT classify('a text', 'three') IS NOT NULL AS works;
SELECT model_drop('three');
SELECT count(*) FROM insitu.model_chunk WHERE digest = decode(:'digest', 'hex');

-- a prepared statement sees a drop
SELECT model_register('one', :'clf') = :'digest' AS same;
CREATE TEMP TABLE bodies AS SELECT 'x' AS body;
PREPARE p AS SELECT classify(body, 'one') IS NOT NULL AS ok FROM bodies;
EXECUTE p;
SELECT model_drop('one');
EXECUTE p;
-- but a call with constants only is computed when the statement is planned
DEALLOCATE p;

-- descriptions
SELECT jsonb_object_keys(model_info('two')) AS key ORDER BY 1;
SELECT model_info('two')->>'architecture' AS architecture,
       model_info('two')->'labels' AS labels;
SELECT model_info('nosuch');
SELECT name, kind, target, tasks, length(digest), bytes > 1000000 AS large
  FROM model_list() WHERE kind = 'bundled';
SELECT model_info('insitu-mini-en')->>'digest' =
       (SELECT digest FROM model_list() WHERE name = 'insitu-mini-en') AS same;

-- loading
SELECT model_unload('two');
SELECT length(model_load('two')), model_unload('two'), model_unload('two');
SELECT model_load('nosuch');
SELECT model_verify('two'), model_verify('insitu-mini-en');
SELECT model_verify('nosuch');
SELECT encode(sha256(model_export('two')), 'hex') =
       model_info('two')->>'digest' AS same;
SELECT length(model_export('insitu-mini-en')) =
       (model_info('insitu-mini-en')->>'bytes')::int AS same;

-- parts that are lost
BEGIN;
CREATE TEMP TABLE kept AS SELECT model_info('two')->>'digest' AS digest;
DELETE FROM insitu.model_chunk
 WHERE digest = (SELECT decode(digest, 'hex') FROM kept);
SELECT model_verify('two');
SELECT length(model_export('two'));
ROLLBACK;

SELECT model_drop('two');
SELECT count(*) FROM insitu.model, insitu.model_chunk;
