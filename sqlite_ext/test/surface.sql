-- surface.sql - every function with its flags: nothing is innocuous, only the
-- forms that name their model are deterministic, what manages is direct only.
.mode list
.headers on
SELECT name, narg,
       CASE WHEN flags & 0x800 THEN 'deterministic' ELSE '' END AS stable,
       CASE WHEN flags & 0x80000 THEN 'direct only' ELSE '' END AS direct,
       CASE WHEN flags & 0x200000 THEN 'innocuous' ELSE '' END AS innocuous
  FROM pragma_function_list
 WHERE name LIKE 'model\_%' ESCAPE '\' OR name LIKE 'insitu%'
    OR name LIKE 'classify%' OR name LIKE 'embed%' OR name LIKE 'token\_%'
       ESCAPE '\' OR name LIKE 'explain%' OR name LIKE 'eval\_%' ESCAPE '\'
    OR name LIKE 'predict%' OR name LIKE 'train\_%' ESCAPE '\'
    OR name IN ('cosine_distance', 'fine_tune_classifier')
 ORDER BY name, narg;
SELECT m.name AS module, c.cid, c.name AS column, c.hidden
  FROM pragma_module_list AS m, pragma_table_xinfo(m.name) AS c
 WHERE m.name IN ('classify_scores', 'tokens', 'classify_batch',
                  'embed_batch', 'explain_classify', 'model_list',
                  'model_stats', 'predict_scores')
 ORDER BY 1, 2;
SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY 1;
