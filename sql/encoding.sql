-- encoding.sql - databases that are not UTF-8
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_classify'
CREATE DATABASE insitu_latin1 ENCODING 'LATIN1' TEMPLATE template0
    LC_COLLATE 'C' LC_CTYPE 'C';
CREATE DATABASE insitu_ascii ENCODING 'SQL_ASCII' TEMPLATE template0
    LC_COLLATE 'C' LC_CTYPE 'C';
SELECT token_ids('Ärger über Größe, naïve'::text)::text AS utf8 \gset
SELECT classify('Ärger über Größe, naïve') AS label \gset

\c insitu_latin1
SET client_encoding = 'UTF8';
CREATE EXTENSION insitu;
SELECT token_ids('Ärger über Größe, naïve')::text = :'utf8' AS same;
SELECT classify('Ärger über Größe, naïve') = :'label' AS same;
SELECT token, start_pos, end_pos FROM tokens('é!') WHERE token = '!';
SELECT model_register('clf', :'clf') IS NOT NULL AS ok;
SELECT classify('Ä', 'clf') IS NOT NULL AS ok;
SELECT model_info('clf')->>'name' AS name;
SELECT eval_report('Ärger', 'Größe')->'labels' ? 'Größe' AS found,
       eval_html('Ärger', 'Größe') LIKE '%<bdi>Größe</bdi>%' AS shown;
-- a trained label is stored as UTF-8 and comes back as the server writes it
SELECT length(model_register('trained', train_tabular(
         CASE n % 2 WHEN 0 THEN 'né' ELSE 'für' END, jsonb_build_object('âge', n % 2),
         '{"positive": "né"}'))) AS digest FROM generate_series(1, 20) n;
SELECT position(convert_to('né', 'UTF8') IN model_export('trained')) > 0 AS utf8,
       position('né'::bytea IN model_export('trained')) > 0 AS latin1,
       model_info('trained')->>'positive' AS positive;
SELECT predict_label('trained', features) AS label, octet_length(predict_label('trained', features)) AS bytes,
       predict_row('trained', features) > 0.5 AS positive
  FROM (VALUES ('{"âge": 0}'::jsonb), ('{"âge": 1}')) v(features);
SELECT explain_html('Größe', 'clf') LIKE '%>Größe<%' AS shown, max(token) AS token
  FROM explain_classify('Größe', 'clf');

\c insitu_ascii
SET client_encoding = 'SQL_ASCII';
CREATE EXTENSION insitu;
SELECT token_ids('Ärger über Größe, naïve')::text = :'utf8' AS same;
SELECT classify('Ärger über Größe, naïve') = :'label' AS same;
-- any bytes
SELECT classify(E'\xff\xfe\xc3') IS NOT NULL AS ok;
SELECT token_count(E'\xff\xfe\xc3(') > 0 AS ok;
SELECT count(*) > 0 AS ok FROM tokens(E'a\xff\xfe b');
-- characters are bytes here
SELECT token, start_pos, end_pos FROM tokens('é!') WHERE token = '!';
SELECT model_register('clf', :'clf') IS NOT NULL AS ok;
SELECT classify(E'\xe4', 'clf') IS NOT NULL AS ok;
SELECT eval_report('Ärger', 'Größe')->'labels' ? 'Größe' AS found;
SELECT eval_report(E'\xe4', 'a');
SELECT train_tabular(E'\xe4', ARRAY[1]::float8[], '{}');
SELECT length(model_register('trained', train_tabular(
         CASE n % 2 WHEN 0 THEN 'né' ELSE 'für' END, jsonb_build_object('âge', n % 2)))) AS digest
  FROM generate_series(1, 20) n;
SELECT predict_label('trained', '{"âge": 0}'::jsonb) = 'né' AS same;

\c insitu_regress
DROP DATABASE insitu_latin1;
DROP DATABASE insitu_ascii;
