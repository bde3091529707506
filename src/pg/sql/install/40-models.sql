/* ---- models ------------------------------------------------------------- */

CREATE FUNCTION @extschema@.model_register(name text, source text)
    RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'insitu_model_register';
COMMENT ON FUNCTION @extschema@.model_register(text, text) IS
    'import a directory or pack file; returns the digest';
REVOKE ALL ON FUNCTION @extschema@.model_register(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.model_register(name text, source text, options jsonb)
    RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'insitu_model_register';
COMMENT ON FUNCTION @extschema@.model_register(text, text, jsonb) IS
    'import a directory with options; returns the digest';
REVOKE ALL ON FUNCTION @extschema@.model_register(text, text, jsonb) FROM PUBLIC;

CREATE FUNCTION @extschema@.model_register(name text, model bytea)
    RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'insitu_model_register_pack';
COMMENT ON FUNCTION @extschema@.model_register(text, bytea) IS
    'take a pack that model_export gave; returns the digest';
REVOKE ALL ON FUNCTION @extschema@.model_register(text, bytea) FROM PUBLIC;

CREATE FUNCTION @extschema@.model_drop(name text)
    RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'insitu_model_drop';
COMMENT ON FUNCTION @extschema@.model_drop(text) IS
    'drop a model or an alias';
REVOKE ALL ON FUNCTION @extschema@.model_drop(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.model_drop(name text, missing_ok boolean)
    RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'insitu_model_drop';
COMMENT ON FUNCTION @extschema@.model_drop(text, boolean) IS
    'drop a model or an alias that may be missing';
REVOKE ALL ON FUNCTION @extschema@.model_drop(text, boolean) FROM PUBLIC;

CREATE FUNCTION @extschema@.model_drop(name text, missing_ok boolean, forget boolean)
    RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'insitu_model_drop';
COMMENT ON FUNCTION @extschema@.model_drop(text, boolean, boolean) IS
    'drop a model and free its name for other content';
REVOKE ALL ON FUNCTION @extschema@.model_drop(text, boolean, boolean) FROM PUBLIC;

CREATE FUNCTION @extschema@.model_alias(alias text, name text)
    RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'insitu_model_alias';
COMMENT ON FUNCTION @extschema@.model_alias(text, text) IS
    'make or move a pointer to a model';
REVOKE ALL ON FUNCTION @extschema@.model_alias(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.model_load(name text)
    RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'insitu_model_load';
COMMENT ON FUNCTION @extschema@.model_load(text) IS
    'load a model into this session and keep it';
REVOKE ALL ON FUNCTION @extschema@.model_load(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.model_unload(name text)
    RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'insitu_model_unload';
COMMENT ON FUNCTION @extschema@.model_unload(text) IS
    'let go of a model in this session';
REVOKE ALL ON FUNCTION @extschema@.model_unload(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.model_verify(name text)
    RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'insitu_model_verify';
COMMENT ON FUNCTION @extschema@.model_verify(text) IS
    'compare all bytes of a model with its digest';
REVOKE ALL ON FUNCTION @extschema@.model_verify(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.model_export(name text)
    RETURNS bytea
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'insitu_model_export';
COMMENT ON FUNCTION @extschema@.model_export(text) IS
    'the pack of a model';
REVOKE ALL ON FUNCTION @extschema@.model_export(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.model_grant(name text, role name)
    RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'insitu_model_grant';
COMMENT ON FUNCTION @extschema@.model_grant(text, name) IS
    'let a role use a restricted model';
REVOKE ALL ON FUNCTION @extschema@.model_grant(text, name) FROM PUBLIC;

CREATE FUNCTION @extschema@.model_revoke(name text, role name)
    RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'insitu_model_revoke';
COMMENT ON FUNCTION @extschema@.model_revoke(text, name) IS
    'undo model_grant';
REVOKE ALL ON FUNCTION @extschema@.model_revoke(text, name) FROM PUBLIC;

CREATE FUNCTION @extschema@.model_list()
    RETURNS TABLE (name text, kind text, target text, tasks text,
                   digest text, bytes bigint, restricted boolean)
    LANGUAGE c STABLE STRICT PARALLEL SAFE
    COST 1000 ROWS 10
    AS 'MODULE_PATHNAME', 'insitu_model_list';
COMMENT ON FUNCTION @extschema@.model_list() IS
    'bundled and registered models, and aliases';

CREATE FUNCTION @extschema@.model_info(name text)
    RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000
    AS 'MODULE_PATHNAME', 'insitu_model_info';
COMMENT ON FUNCTION @extschema@.model_info(text) IS
    'description of a model';

CREATE FUNCTION @extschema@.model_stats()
    RETURNS TABLE (name text, digest text, loads bigint, calls bigint,
                   rows bigint, tokens bigint, milliseconds double precision,
                   errors bigint, memo_hits bigint, session_bytes bigint)
    LANGUAGE c VOLATILE STRICT PARALLEL SAFE
    COST 1000 ROWS 10
    AS 'MODULE_PATHNAME', 'insitu_model_stats';
COMMENT ON FUNCTION @extschema@.model_stats() IS
    'use of models in this database since the server started';
REVOKE ALL ON FUNCTION @extschema@.model_stats() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION @extschema@.model_stats() TO pg_read_all_stats;
