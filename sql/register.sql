-- register.sql - models from directories and packs
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_classify'
\set multi :models '/encoder_bert_multi_label'
\set emb :models '/encoder_bert_mean'
\set lora :models '/tickets'
\set merged :models '/tickets-merged'

SELECT model_register('reg-clf', :'clf') AS digest \gset
SELECT length(:'digest');
-- the same again changes nothing
SELECT model_register('reg-clf', :'clf') = :'digest' AS same;
-- other bytes under the same name
SELECT model_register('reg-clf', :'multi');
-- the pack goes round
SELECT model_register('reg-copy', model_export('reg-clf')) = :'digest' AS same;
SELECT name, kind, tasks, digest = :'digest' AS same, restricted
  FROM model_list() WHERE name LIKE 'reg-%' ORDER BY name;
SELECT count(*) AS parts FROM insitu.model_chunk
 WHERE digest = decode(:'digest', 'hex');
SELECT encode(sha256(string_agg(data, '' ORDER BY seq)), 'hex') = :'digest'
       AS bytes_are_the_pack
  FROM insitu.model_chunk WHERE digest = decode(:'digest', 'hex');
SELECT model_verify('reg-clf');

-- options
SELECT model_register('reg-short', :'clf', '{"max_tokens": 16}') <> :'digest'
       AS differs;
SELECT model_info('reg-short')->'max_tokens' AS max_tokens;
SELECT model_register('reg-cls', :'emb', '{"pooling": "cls"}') IS NOT NULL AS ok;
SELECT model_info('reg-cls')->>'pooling' AS pooling;
SELECT model_register('reg-x', :'clf', '{"nosuch": 1}');
SELECT model_register('reg-x', :'clf', '{"max_tokens": -1}');
SELECT model_register('reg-x', :'clf', '{"max_tokens": "many"}');
SELECT model_register('reg-x', :'clf', '[]');

-- an adapter is what it makes of its base
SELECT model_register('reg-lora', :'lora', '{"weights": "f32"}') =
       model_register('reg-merged', :'merged', '{"weights": "f32"}') AS same;
SELECT model_info('reg-lora')->'labels' AS labels;
SELECT classify('my card', 'reg-lora') = classify('my card', 'reg-merged') AS same;

-- names
SELECT model_register('', :'clf');
SELECT model_register('Upper', :'clf');
SELECT model_register('../up', :'clf');
SELECT model_register('a b', :'clf');
SELECT model_register(repeat('x', 64), :'clf');
SELECT model_register('-x', :'clf');
SELECT model_register('insitu-mini-en', :'clf');

-- sources
SELECT model_register('reg-x', '/nonexistent/model');
SELECT model_register('reg-x', '');
SELECT model_register('reg-x', '\x00'::bytea);
SELECT model_register('reg-x', ''::bytea);
SELECT model_register('reg-x', substr(model_export('reg-clf'), 1, 5000));
SELECT model_register('reg-x', set_byte(model_export('reg-clf'), 3, 255));
SELECT model_register('reg-x', model_export('reg-clf') || '\x00'::bytea);

-- rows are never changed
UPDATE insitu.model SET digest = sha256('x') WHERE name = 'reg-clf';
UPDATE insitu.model_chunk SET data = 'x';

-- a registration that is rolled back was none
BEGIN;
SELECT model_register('reg-gone', :'emb') IS NOT NULL AS registered;
SAVEPOINT s;
SELECT model_drop('reg-gone');
ROLLBACK TO s;
SELECT array_length(embed('text', 'reg-gone'), 1);
ROLLBACK;
SELECT embed('text', 'reg-gone');

-- a transaction that may not write
BEGIN READ ONLY;
SELECT model_register('reg-x', :'clf');
ROLLBACK;

SELECT model_drop(name) FROM model_list() WHERE name LIKE 'reg-%' ORDER BY name;
