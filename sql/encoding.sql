-- encoding.sql - databases that are not UTF-8
\getenv models INSITU_MODELS
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

\c insitu_regress
DROP DATABASE insitu_latin1;
DROP DATABASE insitu_ascii;
