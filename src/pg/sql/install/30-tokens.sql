/* ---- tokens ------------------------------------------------------------- */

CREATE FUNCTION @extschema@.tokens(input text)
    RETURNS TABLE (i integer, token text, token_id integer,
                   start_pos integer, end_pos integer)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 ROWS 50
    AS 'MODULE_PATHNAME', 'insitu_tokens';
COMMENT ON FUNCTION @extschema@.tokens(text) IS
    'what the model reads of a text';

CREATE FUNCTION @extschema@.tokens(input text, model text)
    RETURNS TABLE (i integer, token text, token_id integer,
                   start_pos integer, end_pos integer)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 50
    AS 'MODULE_PATHNAME', 'insitu_tokens';
COMMENT ON FUNCTION @extschema@.tokens(text, text) IS
    'what the model reads of a text';

CREATE FUNCTION @extschema@.token_count(input text)
    RETURNS integer
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_token_count';
COMMENT ON FUNCTION @extschema@.token_count(text) IS
    'how many tokens a text has';

CREATE FUNCTION @extschema@.token_count(input text, model text)
    RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_token_count';
COMMENT ON FUNCTION @extschema@.token_count(text, text) IS
    'how many tokens a text has';

CREATE FUNCTION @extschema@.token_ids(input text)
    RETURNS integer[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_token_ids';
COMMENT ON FUNCTION @extschema@.token_ids(text) IS
    'ids of the tokens of a text';

CREATE FUNCTION @extschema@.token_ids(input text, model text)
    RETURNS integer[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_token_ids';
COMMENT ON FUNCTION @extschema@.token_ids(text, text) IS
    'ids of the tokens of a text';
