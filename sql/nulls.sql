-- nulls.sql - NULL in any argument gives NULL, or no rows
SELECT classify(NULL) IS NULL AND classify(NULL, 'x') IS NULL
       AND classify('x', NULL) IS NULL AS classify,
       classify_score(NULL, 'x') IS NULL AND classify_score('x', NULL) IS NULL
       AND classify_score('x', 'x', NULL) IS NULL AS classify_score,
       embed(NULL) IS NULL AND embed('x', NULL) IS NULL AS embed,
       embed_query(NULL) IS NULL AND embed_query('x', NULL) IS NULL
       AS embed_query,
       token_count(NULL) IS NULL AND token_count('x', NULL) IS NULL
       AS token_count,
       token_ids(NULL) IS NULL AND token_ids('x', NULL) IS NULL AS token_ids;
SELECT count(*) FROM classify_scores(NULL);
SELECT count(*) FROM classify_scores('x', NULL);
SELECT count(*) FROM tokens(NULL);
SELECT count(*) FROM classify_batch(NULL);
SELECT count(*) FROM embed_batch(ARRAY['x'], NULL);
SELECT model_register(NULL, '/x') IS NULL AND model_register('x', NULL::text) IS NULL
       AND model_register('x', NULL::bytea) IS NULL
       AND model_register('x', '/x', NULL) IS NULL AS register,
       model_drop(NULL) IS NULL AND model_drop('x', NULL) IS NULL
       AND model_drop('x', true, NULL) IS NULL AS drop,
       model_alias(NULL, 'x') IS NULL AND model_alias('x', NULL) IS NULL
       AS alias,
       model_load(NULL) IS NULL AND model_unload(NULL) IS NULL
       AND model_verify(NULL) IS NULL AND model_export(NULL) IS NULL
       AND model_info(NULL) IS NULL AS others;
