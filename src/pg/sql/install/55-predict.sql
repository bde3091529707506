/* ---- models over numbers ------------------------------------------------- */

/* They cost microseconds, where a text costs a millisecond. */

CREATE FUNCTION @extschema@.predict(model text, VARIADIC features float8[])
    RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_predict';
COMMENT ON FUNCTION @extschema@.predict(text, float8[]) IS
    'the score of the positive label';

CREATE FUNCTION @extschema@.predict_row(model text, features jsonb)
    RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_predict_row';
COMMENT ON FUNCTION @extschema@.predict_row(text, jsonb) IS
    'the score of the positive label';

CREATE FUNCTION @extschema@.predict_label(model text, VARIADIC features float8[])
    RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_predict_label';
COMMENT ON FUNCTION @extschema@.predict_label(text, float8[]) IS
    'the label with the highest score';

CREATE FUNCTION @extschema@.predict_label(model text, features jsonb)
    RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_predict_label_row';
COMMENT ON FUNCTION @extschema@.predict_label(text, jsonb) IS
    'the label with the highest score';

CREATE FUNCTION @extschema@.predict_scores(model text, VARIADIC features float8[])
    RETURNS TABLE (label text, score real)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 2
    AS 'MODULE_PATHNAME', 'insitu_predict_scores';
COMMENT ON FUNCTION @extschema@.predict_scores(text, float8[]) IS
    'all labels with their scores, best first';

CREATE FUNCTION @extschema@.predict_scores(model text, features jsonb)
    RETURNS TABLE (label text, score real)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 2
    AS 'MODULE_PATHNAME', 'insitu_predict_scores_row';
COMMENT ON FUNCTION @extschema@.predict_scores(text, jsonb) IS
    'all labels with their scores, best first';
