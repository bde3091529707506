/* ---- inference: f(input) STABLE, f(input, model) IMMUTABLE -------------- */

/* Planning a call of one of the functions that have this support loads the
 * library, which then sees to it that their plans run in batches. */
CREATE FUNCTION insitu.batch_support(internal) RETURNS internal
    LANGUAGE c STRICT IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'insitu_batch_support';
COMMENT ON FUNCTION insitu.batch_support(internal) IS
    'planner support of the functions that answer for one text';

CREATE FUNCTION @extschema@.classify(input text)
    RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
    SUPPORT insitu.batch_support
    AS 'MODULE_PATHNAME', 'insitu_classify';
COMMENT ON FUNCTION @extschema@.classify(text) IS
    'the label with the highest score';

CREATE FUNCTION @extschema@.classify(input text, model text)
    RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000
    SUPPORT insitu.batch_support
    AS 'MODULE_PATHNAME', 'insitu_classify';
COMMENT ON FUNCTION @extschema@.classify(text, text) IS
    'the label with the highest score';

CREATE FUNCTION @extschema@.classify_score(input text, label text)
    RETURNS real
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
    SUPPORT insitu.batch_support
    AS 'MODULE_PATHNAME', 'insitu_classify_score';
COMMENT ON FUNCTION @extschema@.classify_score(text, text) IS
    'the score of one label';

CREATE FUNCTION @extschema@.classify_score(input text, label text, model text)
    RETURNS real
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000
    SUPPORT insitu.batch_support
    AS 'MODULE_PATHNAME', 'insitu_classify_score';
COMMENT ON FUNCTION @extschema@.classify_score(text, text, text) IS
    'the score of one label';

CREATE FUNCTION @extschema@.classify_scores(input text)
    RETURNS TABLE (label text, score real)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 ROWS 10
    AS 'MODULE_PATHNAME', 'insitu_classify_scores';
COMMENT ON FUNCTION @extschema@.classify_scores(text) IS
    'all labels with their scores, best first';

CREATE FUNCTION @extschema@.classify_scores(input text, model text)
    RETURNS TABLE (label text, score real)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 10
    AS 'MODULE_PATHNAME', 'insitu_classify_scores';
COMMENT ON FUNCTION @extschema@.classify_scores(text, text) IS
    'all labels with their scores, best first';

CREATE FUNCTION @extschema@.classify_batch(inputs text[])
    RETURNS TABLE (i integer, label text, score real)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
    AS 'MODULE_PATHNAME', 'insitu_classify_batch';
COMMENT ON FUNCTION @extschema@.classify_batch(text[]) IS
    'the best label of each text';

CREATE FUNCTION @extschema@.classify_batch(inputs text[], model text)
    RETURNS TABLE (i integer, label text, score real)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
    AS 'MODULE_PATHNAME', 'insitu_classify_batch';
COMMENT ON FUNCTION @extschema@.classify_batch(text[], text) IS
    'the best label of each text';

CREATE FUNCTION @extschema@.embed(input text)
    RETURNS real[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
    SUPPORT insitu.batch_support
    AS 'MODULE_PATHNAME', 'insitu_embed';
COMMENT ON FUNCTION @extschema@.embed(text) IS
    'the embedding of a document';

CREATE FUNCTION @extschema@.embed(input text, model text)
    RETURNS real[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000
    SUPPORT insitu.batch_support
    AS 'MODULE_PATHNAME', 'insitu_embed';
COMMENT ON FUNCTION @extschema@.embed(text, text) IS
    'the embedding of a document';

CREATE FUNCTION @extschema@.embed_query(input text)
    RETURNS real[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
    SUPPORT insitu.batch_support
    AS 'MODULE_PATHNAME', 'insitu_embed_query';
COMMENT ON FUNCTION @extschema@.embed_query(text) IS
    'the embedding of a search query';

CREATE FUNCTION @extschema@.embed_query(input text, model text)
    RETURNS real[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000
    SUPPORT insitu.batch_support
    AS 'MODULE_PATHNAME', 'insitu_embed_query';
COMMENT ON FUNCTION @extschema@.embed_query(text, text) IS
    'the embedding of a search query';

CREATE FUNCTION @extschema@.embed_batch(inputs text[])
    RETURNS TABLE (i integer, embedding real[])
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
    AS 'MODULE_PATHNAME', 'insitu_embed_batch';
COMMENT ON FUNCTION @extschema@.embed_batch(text[]) IS
    'the embedding of each text';

CREATE FUNCTION @extschema@.embed_batch(inputs text[], model text)
    RETURNS TABLE (i integer, embedding real[])
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
    AS 'MODULE_PATHNAME', 'insitu_embed_batch';
COMMENT ON FUNCTION @extschema@.embed_batch(text[], text) IS
    'the embedding of each text';

CREATE FUNCTION @extschema@.cosine_distance(a real[], b real[])
    RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'insitu_cosine_distance';
COMMENT ON FUNCTION @extschema@.cosine_distance(real[], real[]) IS
    '0 for the same direction, 2 for the opposite';
