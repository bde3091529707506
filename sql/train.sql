-- train.sql - a classifier out of labelled rows
\set models `echo "$INSITU_MODELS"`
\set mean :models '/encoder_bert_mean'
SET client_min_messages = warning;
CREATE TABLE labelled (id integer PRIMARY KEY, body text, queue text, split text);
INSERT INTO labelled
SELECT row_number() OVER (ORDER BY n, queue), format(body, thing), queue,
       CASE WHEN n = 4 THEN 'test' ELSE 'train' END
  FROM (VALUES ('money', 'I was charged twice for the %s'),
               ('money', 'please refund my payment for the %s'),
               ('money', 'the invoice of the %s is wrong'),
               ('parcel', 'where is my parcel with the %s?'),
               ('parcel', 'the delivery of the %s is late'),
               ('parcel', 'the courier has lost my %s'),
               ('login', 'I cannot log in to order a %s'),
               ('login', 'my password is not accepted at the %s page'),
               ('login', 'reset the account that I bought the %s with'))
         AS t (queue, body),
       (VALUES (1, 'lamp'), (2, 'chair'), (3, 'phone'), (4, 'red book'))
         AS x (n, thing);

SELECT length(model_register('route-v1', train_classifier(body, queue ORDER BY id)))
       AS digest
  FROM labelled WHERE split = 'train';
SELECT count(*), count(*) FILTER (WHERE classify(body, 'route-v1') = queue) AS correct
  FROM labelled WHERE split = 'test';
SELECT label FROM classify_scores('x', 'route-v1') ORDER BY label;
-- the same embeddings as before
SELECT embed('a text', 'route-v1') = embed('a text', 'insitu-mini-en') AS same;
-- in any session
\c -
SET client_min_messages = warning;
SELECT classify('where is the parcel?', 'route-v1');

-- the same rows in the same order give the same model
SELECT model_register('again', train_classifier(body, queue ORDER BY id))
       = model_info('route-v1')->>'digest' AS same
  FROM labelled WHERE split = 'train';
SELECT model_register('again', train_classifier(body, queue, '{}' ORDER BY id))
       = model_info('route-v1')->>'digest' AS same
  FROM labelled WHERE split = 'train';

-- options
SELECT model_register('mean', :'mean') IS NOT NULL AS ok;
CREATE FUNCTION try(options jsonb) RETURNS TABLE (labels bigint, correct boolean)
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM model_register('tried', train_classifier(body, queue, options ORDER BY id))
     FROM labelled WHERE split = 'train';
  RETURN QUERY
    SELECT count(DISTINCT classify(body, 'tried')),
           avg((classify(body, 'tried') = queue)::int) > 0.7
      FROM labelled WHERE split = 'test';
  PERFORM model_drop('tried', false, true);
END $$;
SELECT * FROM try('{"head": "logistic", "l2": 0.01, "seed": 7}');
SELECT * FROM try('{"head": "network"}');
SELECT * FROM try('{"head": "auto", "folds": 3, "class_weights": "balanced"}');
SELECT labels > 0 AS ok FROM try('{"encoder": "mean", "max_tokens": 8}');
SET insitu.default_embedder = 'mean';
SELECT model_register('of-mean', train_classifier(body, queue ORDER BY id))
       IS NOT NULL AS ok
  FROM labelled;
SELECT embed('x', 'mean') = embed('x', 'of-mean') AS of_the_setting;
RESET insitu.default_embedder;
-- an alias may be the encoder
SELECT model_alias('moving', 'mean');
SELECT model_register('of-alias', train_classifier(body, queue, '{"encoder": "moving"}' ORDER BY id))
       = model_info('of-mean')->>'digest' AS same
  FROM labelled;

-- several labels per row, none, and rows that are left out
CREATE TABLE tagged AS
  SELECT id, body, CASE WHEN id % 9 = 0 THEN '{}'
                        WHEN body LIKE '%lamp%' THEN ARRAY[queue, 'lamp']
                        ELSE ARRAY[queue] END AS tags
    FROM labelled;
INSERT INTO tagged VALUES (101, NULL, '{"money"}'), (102, 'a text', NULL);
SELECT model_register('tags', train_classifier(body, tags ORDER BY id)) IS NOT NULL AS ok
  FROM tagged;
SELECT label FROM classify_scores('x', 'tags') ORDER BY label;
SELECT model_info('tags')->'multi_label' AS multi_label;
SET insitu.default_embedder = 'mean';
SELECT model_register('tags-2', train_classifier(body, tags, '{"head": "network"}' ORDER BY id))
       IS NOT NULL AS ok
  FROM tagged;

-- what SQL does with aggregates
CREATE FUNCTION is_pack(bytea) RETURNS boolean LANGUAGE sql AS
  $$SELECT length($1) > 1000$$;
SELECT id % 2 AS half, is_pack(train_classifier(body, queue)) AS ok
  FROM labelled GROUP BY 1 ORDER BY 1;
SELECT split, is_pack(train_classifier(body, queue) FILTER (WHERE queue <> 'login')) AS ok
  FROM labelled GROUP BY ROLLUP (split) HAVING count(*) > 9 ORDER BY 1;
SELECT is_pack(train_classifier(DISTINCT body, queue)) AS ok FROM labelled;
-- a hash table that is read again trains once
SET enable_sort = off;
SET enable_material = off;
EXPLAIN (COSTS OFF) SELECT i, half, pack
  FROM generate_series(1, 3) i
  JOIN (SELECT id % 2 AS half, train_classifier(body, queue) AS pack
          FROM labelled GROUP BY 1) x ON i > x.half - 1;
SELECT count(DISTINCT md5(pack)) AS packs, count(*) AS rows
  FROM generate_series(1, 3) i
  JOIN (SELECT id % 2 AS half, train_classifier(body, queue) AS pack
          FROM labelled GROUP BY 1) x ON i > x.half - 1;
RESET enable_sort;
RESET enable_material;
PREPARE trained(text) AS
  SELECT is_pack(train_classifier(body, queue, jsonb_build_object('encoder', $1)))
    FROM labelled;
EXECUTE trained('mean');
EXECUTE trained('moving');
DEALLOCATE trained;
BEGIN;
DECLARE c CURSOR FOR SELECT is_pack(train_classifier(body, queue)) FROM labelled;
FETCH 1 FROM c;
COMMIT;
SELECT is_pack(train_classifier(body, queue) OVER ()) FROM labelled;
-- with no training left behind
SELECT count(*) FROM train_progress();

SELECT model_drop('moving');
SELECT model_drop(name, false, true) FROM model_list() WHERE kind = 'stored' ORDER BY name;
DROP TABLE labelled, tagged;
DROP FUNCTION try, is_pack;
