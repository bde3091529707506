-- privileges.sql - who may do what
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_classify'
\set distil :models '/encoder_distilbert_classify'
-- out of the directory, by dots and by a symbolic link; any ".." is refused
\set outside :models '/../outside'
\set link :models '/link'
\set around :models '/../models/encoder_bert_relu'
\set lora :models '/tickets'
CREATE ROLE insitu_user;
CREATE ROLE insitu_group;
CREATE ROLE insitu_maker;
SELECT model_register('open', :'clf') IS NOT NULL AS ok;
SELECT model_register('closed', :'distil', '{"restricted": true}') IS NOT NULL AS ok;
SELECT name, restricted FROM model_list() WHERE kind = 'stored' ORDER BY name;
CREATE TABLE bodies AS SELECT 'a text' AS body;
CREATE VIEW label_of AS SELECT classify(body, 'closed') AS label FROM bodies;
GRANT SELECT ON label_of, bodies TO insitu_user;

SET ROLE insitu_user;
SELECT classify('a text', 'open') IS NOT NULL AS ok;
SELECT classify('a text', 'closed');
SELECT embed('a text', 'closed');
SELECT token_count('a text', 'closed');
SELECT model_info('closed');
-- the right is the caller's, not the view's owner's
SELECT * FROM label_of;
SELECT count(*) > 2 AS names_are_public FROM model_list();
SELECT model_register('mine', :'clf');
SELECT model_register('mine', '\x00'::bytea);
SELECT model_drop('open');
SELECT model_alias('x', 'open');
SELECT model_load('open');
SELECT model_unload('open');
SELECT model_export('open');
SELECT model_verify('open');
SELECT model_grant('closed', 'insitu_user');
SELECT model_revoke('closed', 'insitu_user');
SELECT * FROM model_stats();
SELECT * FROM insitu.model;
SELECT * FROM insitu.model_chunk;
INSERT INTO insitu.alias VALUES ('x', 'open');
INSERT INTO insitu.model_grant VALUES ('closed', 'insitu_user');
SET insitu.model_path = '/';
SET insitu.max_input_bytes = '64MB';
SET insitu.max_loaded_bytes = 0;
SET insitu.debug_load_delay = 1;
\set VERBOSITY sqlstate
SHOW insitu.model_path;
\set VERBOSITY default
RESET ROLE;

-- grants take effect in a statement that is prepared
SET ROLE insitu_user;
PREPARE p AS SELECT classify(body, 'closed') IS NOT NULL AS ok FROM bodies;
RESET ROLE;
SELECT model_grant('closed', 'insitu_group');
SELECT model_grant('closed', 'insitu_group');
SELECT model_grant('closed', 'nosuch_role');
SELECT model_grant('nosuch', 'insitu_group');
SELECT model_grant('insitu-mini-en', 'insitu_group');
SELECT * FROM insitu.model_grant;
SET ROLE insitu_user;
EXECUTE p;
RESET ROLE;
GRANT insitu_group TO insitu_user;
SET ROLE insitu_user;
EXECUTE p;
SELECT classify('a text', 'closed') IS NOT NULL AS ok;
RESET ROLE;
SELECT model_revoke('closed', 'insitu_group');
SET ROLE insitu_user;
EXECUTE p;
RESET ROLE;
SELECT model_grant('closed', 'public');
SET ROLE insitu_user;
EXECUTE p;
RESET ROLE;
-- a role that is gone gives nobody a right
SELECT model_revoke('closed', 'public');
SELECT model_grant('closed', 'insitu_group');
DROP ROLE insitu_group;
SET ROLE insitu_user;
EXECUTE p;
RESET ROLE;
DEALLOCATE p;

-- making models without being superuser
GRANT EXECUTE ON FUNCTION model_register(text, text),
  model_register(text, text, jsonb), model_register(text, bytea),
  model_drop(text), model_alias(text, text), model_export(text),
  model_grant(text, name), model_revoke(text, name) TO insitu_maker;
SELECT set_config('insitu_test.pack', encode(model_export('open'), 'hex'), false)
       IS NOT NULL AS ok;
SET ROLE insitu_maker;
SELECT model_register('made', decode(current_setting('insitu_test.pack'), 'hex'))
       IS NOT NULL AS ok;
SELECT model_register('made-2', :'clf');
SELECT model_export('closed');
SELECT model_grant('closed', 'insitu_maker');
SELECT model_grant('made', 'insitu_user');
RESET ROLE;
SELECT name, created_by FROM insitu.model WHERE name LIKE 'made%';
GRANT pg_read_server_files TO insitu_maker;
SET ROLE insitu_maker;
SELECT model_register('made-2', :'distil', '{"restricted": true}') IS NOT NULL AS ok;
SELECT classify('a text', 'made-2') IS NOT NULL AS creator_may;
RESET ROLE;
REVOKE pg_read_server_files FROM insitu_maker;

-- beneath insitu.model_path
SET insitu.model_path = :'models';
SET ROLE insitu_maker;
SELECT model_register('made-3', :'clf') IS NOT NULL AS ok;
\set VERBOSITY sqlstate
SELECT model_register('made-4', '/etc');
SELECT model_register('made-4', :'outside');
SELECT model_register('made-4', :'link');
SELECT model_register('made-4', :'around') IS NOT NULL AS ok;
-- an adapter's base is below it, too
SELECT model_register('made-5', :'lora') IS NOT NULL AS ok;
SELECT model_register('made-6', :'lora' || '-outside');
\set VERBOSITY default
RESET ROLE;
RESET insitu.model_path;

SELECT model_drop(name) FROM model_list() WHERE kind = 'stored' ORDER BY name;
DROP TABLE bodies CASCADE;
DROP OWNED BY insitu_maker, insitu_user;
DROP ROLE insitu_user, insitu_maker;
