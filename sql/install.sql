-- install.sql - CREATE and DROP EXTENSION
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_classify'
CREATE DATABASE insitu_install;
\c insitu_install
-- somebody's schema is not taken over
\set SHOW_CONTEXT never
CREATE SCHEMA insitu;
CREATE EXTENSION insitu;
\set SHOW_CONTEXT errors
DROP SCHEMA insitu;

-- in a schema of choice, whatever the search path
CREATE SCHEMA ml;
CREATE EXTENSION insitu SCHEMA ml;
SELECT ml.classify('where is my parcel?') IS NOT NULL AS ok;
SELECT classify('x');
SET search_path = ml, public;
SELECT model_register('clf', :'clf') IS NOT NULL AS ok;
-- names of ours planted by others
CREATE SCHEMA evil;
CREATE FUNCTION evil.texteq(text, text) RETURNS bool LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'captured'; END$$;
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.texteq);
CREATE FUNCTION evil.length(bytea) RETURNS int LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'captured'; END$$;
CREATE TABLE evil.model (name text);
SET search_path = evil, pg_catalog, ml;
SELECT model_register('clf-2', :'clf') IS NOT NULL AS ok;
SELECT model_alias('now', 'clf-2');
SELECT classify('x', 'clf-2') IS NOT NULL AS ok;
SELECT model_drop('now'), model_drop('clf-2');
RESET search_path;
ALTER EXTENSION insitu SET SCHEMA public;

-- everything goes, and comes back
DROP EXTENSION insitu;
SELECT count(*) FROM pg_namespace WHERE nspname = 'insitu';
CREATE EXTENSION insitu;
SELECT classify('where is my parcel?') IS NOT NULL AS ok;
SELECT classify('x', 'clf');
SELECT model_register('clf', :'clf') IS NOT NULL AS ok;
SELECT classify('x', 'clf') IS NOT NULL AS ok;
BEGIN;
SELECT model_drop('clf');
DROP EXTENSION insitu;
COMMIT;

-- without the extension, the library's functions say so
CREATE FUNCTION stray(text, text) RETURNS text LANGUAGE c STRICT
    AS 'insitu', 'insitu_classify';
SELECT stray('x', 'clf');
CREATE EXTENSION insitu VERSION '9.9';

\c insitu_regress
DROP DATABASE insitu_install;
