/* ---- the same as window functions: of the first row of the frame -------- */

CREATE FUNCTION @extschema@.classify_window(input text)
    RETURNS text
    LANGUAGE c WINDOW STABLE PARALLEL SAFE COST 10000
    AS 'MODULE_PATHNAME', 'insitu_classify_window';
COMMENT ON FUNCTION @extschema@.classify_window(text) IS
    'the label of the first text of the frame';

CREATE FUNCTION @extschema@.classify_window(input text, model text)
    RETURNS text
    LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE COST 10000
    AS 'MODULE_PATHNAME', 'insitu_classify_window';
COMMENT ON FUNCTION @extschema@.classify_window(text, text) IS
    'the label of the first text of the frame';

CREATE FUNCTION @extschema@.classify_score_window(input text, label text)
    RETURNS real
    LANGUAGE c WINDOW STABLE PARALLEL SAFE COST 10000
    AS 'MODULE_PATHNAME', 'insitu_classify_score_window';
COMMENT ON FUNCTION @extschema@.classify_score_window(text, text) IS
    'the score of a label for the first text of the frame';

CREATE FUNCTION @extschema@.classify_score_window(input text, label text, model text)
    RETURNS real
    LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE COST 10000
    AS 'MODULE_PATHNAME', 'insitu_classify_score_window';
COMMENT ON FUNCTION @extschema@.classify_score_window(text, text, text) IS
    'the score of a label for the first text of the frame';

CREATE FUNCTION @extschema@.embed_window(input text)
    RETURNS real[]
    LANGUAGE c WINDOW STABLE PARALLEL SAFE COST 10000
    AS 'MODULE_PATHNAME', 'insitu_embed_window';
COMMENT ON FUNCTION @extschema@.embed_window(text) IS
    'the embedding of the first text of the frame';

CREATE FUNCTION @extschema@.embed_window(input text, model text)
    RETURNS real[]
    LANGUAGE c WINDOW IMMUTABLE PARALLEL SAFE COST 10000
    AS 'MODULE_PATHNAME', 'insitu_embed_window';
COMMENT ON FUNCTION @extschema@.embed_window(text, text) IS
    'the embedding of the first text of the frame';
