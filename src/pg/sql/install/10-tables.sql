/* ---- tables: the truth about models; files are a cache of them ---------- */

/* Rows are never changed.  Column order: src/pg/pg_catalog.h. */
CREATE TABLE insitu.model (
    name text COLLATE pg_catalog."C" NOT NULL
        CONSTRAINT model_pkey PRIMARY KEY
        CONSTRAINT model_name_check
            CHECK (name OPERATOR(pg_catalog.~) '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    digest bytea NOT NULL
        CONSTRAINT model_digest_check
            CHECK (pg_catalog.length(digest) OPERATOR(pg_catalog.=) 32),
    bytes bigint NOT NULL,
    tasks text NOT NULL,
    restricted boolean NOT NULL,
    created_by name NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE insitu.model IS 'registered models, one row per name';

/* A pack in parts of 1 MB; models with equal packs share them. */
CREATE TABLE insitu.model_chunk (
    digest bytea NOT NULL,
    seq integer NOT NULL,
    data bytea NOT NULL,
    CONSTRAINT model_chunk_pkey PRIMARY KEY (digest, seq)
);
ALTER TABLE insitu.model_chunk ALTER COLUMN data SET STORAGE EXTERNAL;
COMMENT ON TABLE insitu.model_chunk IS 'the bytes of registered models';

CREATE TABLE insitu.alias (
    alias text COLLATE pg_catalog."C" NOT NULL
        CONSTRAINT alias_pkey PRIMARY KEY
        CONSTRAINT alias_name_check
            CHECK (alias OPERATOR(pg_catalog.~) '^[a-z0-9][a-z0-9_.-]{0,62}$'),
    name text COLLATE pg_catalog."C" NOT NULL
);
COMMENT ON TABLE insitu.alias IS 'names that move from model to model';

/* Roles by name: a role that is missing after a restore fails closed. */
CREATE TABLE insitu.model_grant (
    name text COLLATE pg_catalog."C" NOT NULL,
    grantee name NOT NULL,
    CONSTRAINT model_grant_pkey PRIMARY KEY (name, grantee)
);
COMMENT ON TABLE insitu.model_grant IS 'who may use restricted models';

/* What a name that was dropped stood for: it may return only as that. */
CREATE TABLE insitu.dropped_model (
    name text COLLATE pg_catalog."C" NOT NULL
        CONSTRAINT dropped_model_pkey PRIMARY KEY,
    digest bytea NOT NULL
);
COMMENT ON TABLE insitu.dropped_model IS 'names of dropped models';

SELECT pg_catalog.pg_extension_config_dump('insitu.model', '');
SELECT pg_catalog.pg_extension_config_dump('insitu.model_chunk', '');
SELECT pg_catalog.pg_extension_config_dump('insitu.alias', '');
SELECT pg_catalog.pg_extension_config_dump('insitu.model_grant', '');
SELECT pg_catalog.pg_extension_config_dump('insitu.dropped_model', '');

/* ---- triggers ----------------------------------------------------------- */

CREATE FUNCTION insitu.announce_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'insitu_announce_change';
CREATE FUNCTION insitu.refuse_update() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'insitu_refuse_update';
REVOKE ALL ON FUNCTION insitu.announce_change(), insitu.refuse_update()
    FROM PUBLIC;

CREATE TRIGGER announce_change
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON insitu.model
    FOR EACH STATEMENT EXECUTE FUNCTION insitu.announce_change();
CREATE TRIGGER announce_change
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON insitu.alias
    FOR EACH STATEMENT EXECUTE FUNCTION insitu.announce_change();
CREATE TRIGGER announce_change
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON insitu.model_grant
    FOR EACH STATEMENT EXECUTE FUNCTION insitu.announce_change();
CREATE TRIGGER refuse_update
    BEFORE UPDATE ON insitu.model
    FOR EACH STATEMENT EXECUTE FUNCTION insitu.refuse_update();
CREATE TRIGGER refuse_update
    BEFORE UPDATE ON insitu.model_chunk
    FOR EACH STATEMENT EXECUTE FUNCTION insitu.refuse_update();

/* Also where changes arrive by replication. */
ALTER TABLE insitu.model ENABLE ALWAYS TRIGGER announce_change;
ALTER TABLE insitu.alias ENABLE ALWAYS TRIGGER announce_change;
ALTER TABLE insitu.model_grant ENABLE ALWAYS TRIGGER announce_change;
ALTER TABLE insitu.model ENABLE ALWAYS TRIGGER refuse_update;
ALTER TABLE insitu.model_chunk ENABLE ALWAYS TRIGGER refuse_update;
