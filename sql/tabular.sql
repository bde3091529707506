-- tabular.sql - models over numbers
CREATE TABLE people AS
  SELECT n AS id, (20 + n % 50)::float8 AS age, (n * 7 % 11)::numeric AS visits,
         n % 3 = 0 AS member, CASE n % 4 WHEN 0 THEN 'web' ELSE 'shop' END AS via,
         CASE WHEN n % 50 > 24 THEN 'yes' ELSE 'no' END AS bought
    FROM generate_series(1, 200) n;
SELECT model_register('bought', train_tabular(bought, age, visits ORDER BY id))
       IS NOT NULL AS ok
  FROM people;
SELECT avg((predict_label('bought', age, visits) = bought)::int) > 0.95 AS learnt,
       avg((predict('bought', age, visits) > 0.5)::int - (bought = 'yes')::int)
         BETWEEN -0.05 AND 0.05 AS agrees
  FROM people;
SELECT label, score > 0.9 AS sure FROM predict_scores('bought', 60, 3);
-- an array in the place of arguments; NULL is a missing value
SELECT predict_label('bought', VARIADIC ARRAY[60, 3]) AS label,
       predict('bought', 60, 3) = predict('bought', VARIADIC '{60,3}') AS same,
       predict('bought', 60, NULL) BETWEEN 0 AND 1 AS missing,
       predict('bought', NULL, NULL) = predict('bought', 'NaN', NULL) AS nan,
       predict('bought', VARIADIC NULL) IS NULL AS null_array,
       predict(NULL, 60, 3) IS NULL AS null_model;
SELECT predict_label('bought', VARIADIC '[5:6]={60,3}'::float8[]) AS label;
-- the same rows in the same order give the same model, also from arrays
SELECT model_register('again', train_tabular(bought, VARIADIC ARRAY[age, visits] ORDER BY id))
       = model_info('bought')->>'digest' AS same
  FROM people;
SELECT model_register('again', train_tabular(bought, ARRAY[age, visits], '{}' ORDER BY id))
       = model_info('bought')->>'digest' AS same
  FROM people;

-- objects
SELECT model_register('by-name', train_tabular(bought, to_jsonb(p) - 'id' - 'bought' ORDER BY id))
       IS NOT NULL AS ok
  FROM people p;
SELECT avg((predict_label('by-name', to_jsonb(p) - 'id' - 'bought') = bought)::int) > 0.95
       AS learnt
  FROM people p;
SELECT predict_row('by-name', '{"age": 60, "via": "web"}') > 0.5 AS yes,
       predict_label('by-name', '{"age": 60, "via": "never seen", "member": null}'::jsonb);
SELECT label, score > 0.5 AS sure
  FROM predict_scores('by-name', '{"age": 60, "visits": 3, "member": true}'::jsonb);
SELECT predict_row('by-name', '{"age": 60, "height": 2}');

-- options
SELECT model_register('network', train_tabular(bought, ARRAY[age, visits],
         '{"head": "network", "units": 8, "seed": 2}' ORDER BY id)) IS NOT NULL AS ok
  FROM people;
SELECT model_register('auto', train_tabular(bought, ARRAY[age, visits],
         '{"head": "auto", "folds": 2, "class_weights": "balanced"}' ORDER BY id))
       IS NOT NULL AS ok
  FROM people;
SELECT name, avg((predict_label(name, age, visits) = bought)::int) > 0.9 AS learnt
  FROM people, (VALUES ('network'), ('auto')) m (name) GROUP BY name ORDER BY name;
SELECT model_register('positive', train_tabular(bought, jsonb_build_object('age', age),
         '{"positive": "no", "l2": 0.1}' ORDER BY id)) IS NOT NULL AS ok
  FROM people;
SELECT predict_row('positive', '{"age": 60}') < 0.5 AS no_is_positive;

-- missing features, and rows without a label
SELECT model_register('holes', train_tabular(nullif(bought, CASE WHEN id % 10 = 0 THEN bought END),
         age, nullif(visits, 5), NULL) ) IS NOT NULL AS ok
  FROM people;
SELECT predict_label('holes', 60, NULL, 1) AS label;

-- errors name the model, and what it was made for
\set VERBOSITY default
SELECT predict('bought', 1);
SELECT predict('bought', 1, 2, 3);
SELECT predict('bought', VARIADIC '{}');
SELECT predict('bought', VARIADIC '{{1,2},{3,4}}');
SELECT predict('bought', 'Infinity', 2);
SELECT predict('nosuch', 1, 2);
SELECT predict('insitu-mini-en', 1, 2);
SELECT predict_row('bought', '[1, 2]');
SELECT predict_row('insitu-mini-en', '{"age": 1}');
SELECT classify('a text', 'bought');
SELECT embed('a text', 'bought');
SELECT token_count('a text', 'bought');
SET insitu.default_classifier = 'bought';
SELECT classify('a text');
RESET insitu.default_classifier;
SELECT model_info('bought')->'tasks' AS tasks;

SELECT calls > 200 AS counted, errors FROM model_stats() WHERE name = 'bought';
SELECT model_drop(name, false, true) FROM model_list() WHERE kind = 'stored' ORDER BY name;
DROP TABLE people;
