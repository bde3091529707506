-- classify.sql - labels and scores
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_classify'
\set multi :models '/encoder_bert_multi_label'
\set distil :models '/encoder_distilbert_classify'
SELECT model_register('clf', :'clf') IS NOT NULL AS ok;
SELECT model_register('multi', :'multi') IS NOT NULL AS ok;
SELECT model_register('distil', :'distil') IS NOT NULL AS ok;

SELECT classify('a text', 'clf') IN ('label-0', 'label-1', 'label-2') AS known;
SELECT classify('', 'clf') IS NOT NULL AS empty_text_is_a_text;
-- the best label is the first of the scores
SELECT (SELECT label FROM classify_scores(t, 'clf') LIMIT 1) =
       classify(t, 'clf') AS same
  FROM unnest(ARRAY['', 'a', 'the cat', 'où']) t;
SELECT count(*), round(sum(score)::numeric, 5) AS sum,
       bool_and(score BETWEEN 0 AND 1) AS in_range
  FROM classify_scores('a text', 'clf');
SELECT label, score = classify_score('a text', label, 'clf') AS same
  FROM classify_scores('a text', 'clf') ORDER BY label;
SELECT array_agg(score) = array_agg(score ORDER BY score DESC) AS sorted
  FROM classify_scores('a text', 'multi');
-- labels of a multi-label model are independent
SELECT count(*), bool_and(score BETWEEN 0 AND 1) AS in_range
  FROM classify_scores('a text', 'multi');
SELECT count(*), round(sum(score)::numeric, 5) AS sum
  FROM classify_scores('a text', 'distil');

-- errors
SELECT classify_score('a text', 'label-9', 'clf');
SELECT classify_score('a text', 'LABEL-1', 'clf');
SELECT classify('a text', 'nosuch');
SELECT classify('a text', '');
SELECT classify('a text', 'CLF');
SELECT classify('a text', 'clf ');
SELECT classify('a text', repeat('x', 10000));
SELECT classify('a text', 'clf; DROP TABLE x');
SELECT classify('a text', '../clf');

-- the default model
SET insitu.default_classifier = 'clf';
SELECT classify('a text') = classify('a text', 'clf') AS same;
SET insitu.default_classifier = 'nosuch';
SELECT classify('a text');
SET insitu.default_classifier = 'No Such';
RESET insitu.default_classifier;

SELECT (classify_scores('a text', 'clf')).label IS NOT NULL AS in_select
 LIMIT 1;

SELECT model_drop('clf'), model_drop('multi'), model_drop('distil');
