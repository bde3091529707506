-- embed.sql - embeddings
\set models `echo "$INSITU_MODELS"`
\set emb :models '/encoder_bert_mean'
\set clf :models '/encoder_bert_classify'
SELECT model_register('emb', :'emb') IS NOT NULL AS ok;
SELECT model_register('clf', :'clf') IS NOT NULL AS ok;

SELECT pg_typeof(embed('a text', 'emb')), array_ndims(embed('a text', 'emb')),
       array_lower(embed('a text', 'emb'), 1),
       array_length(embed('a text', 'emb'), 1) =
       (model_info('emb')->>'embedding_size')::int AS size;
SELECT embed('a text', 'emb') = embed('a text', 'emb') AS repeatable;
SELECT embed('a text', 'emb') = embed_query('a text', 'emb') AS same_for_queries;
SELECT array_length(embed('', 'emb'), 1) > 0 AS empty_text_is_a_text;
SELECT bool_and(x = x AND abs(x) < 1e6) AS finite
  FROM unnest(embed('a text', 'emb')) x;

-- distances
SELECT round(cosine_distance(embed('a text', 'emb'),
                             embed('a text', 'emb'))::numeric, 6);
SELECT cosine_distance('{1,0}', '{0,1}'), cosine_distance('{1,0}', '{2,0}'),
       cosine_distance('{1,0}', '{-1,0}');
SELECT cosine_distance('{0,0}', '{1,1}') IS NULL AS no_direction;
SELECT cosine_distance(NULL, '{1}') IS NULL AS null;
SELECT cosine_distance('{1,2}', '{1,2,3}');
SELECT cosine_distance('{1,NULL}', '{1,2}');
SELECT cosine_distance('{{1,2},{3,4}}', '{{1,2},{3,4}}');
SELECT cosine_distance('{}', '{}') IS NULL AS nothing;

-- wrong task
SELECT embed('a text', 'clf');
SELECT embed_query('a text', 'clf');
SELECT i FROM embed_batch(ARRAY['a text'], 'clf');
SELECT classify('a text', 'emb');
SELECT classify_score('a text', 'x', 'emb');
SELECT * FROM classify_scores('a text', 'emb');
SELECT * FROM classify_batch(ARRAY['a text'], 'emb');

-- the default model
SET insitu.default_embedder = 'emb';
SELECT embed('a text') = embed('a text', 'emb') AS same;
SET insitu.default_embedder = 'clf';
SELECT embed('a text');
RESET insitu.default_embedder;

SELECT model_drop('emb'), model_drop('clf');
