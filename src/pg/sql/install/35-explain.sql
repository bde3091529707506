/* ---- explanations: some hundred runs of the model for one text ----------- */

/* STABLE also with a model: the last digits depend on OpenBLAS and so on the
 * processor, and an alias may be named. */

CREATE FUNCTION @extschema@.explain_classify(input text)
    RETURNS TABLE (token text, start_pos integer, end_pos integer,
                   contribution real)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000000 ROWS 20
    AS 'MODULE_PATHNAME', 'insitu_explain_classify';
COMMENT ON FUNCTION @extschema@.explain_classify(text) IS
    'what each word adds to the score of the label that classify gives';

CREATE FUNCTION @extschema@.explain_classify(input text, model text)
    RETURNS TABLE (token text, start_pos integer, end_pos integer,
                   contribution real)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000000 ROWS 20
    AS 'MODULE_PATHNAME', 'insitu_explain_classify';
COMMENT ON FUNCTION @extschema@.explain_classify(text, text) IS
    'what each word adds to the score of the label that classify gives';

CREATE FUNCTION @extschema@.explain_classify(input text, model text, label text)
    RETURNS TABLE (token text, start_pos integer, end_pos integer,
                   contribution real)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000000 ROWS 20
    AS 'MODULE_PATHNAME', 'insitu_explain_classify';
COMMENT ON FUNCTION @extschema@.explain_classify(text, text, text) IS
    'what each word adds to the score of a label';

CREATE FUNCTION @extschema@.explain_html(input text)
    RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000000
    AS 'MODULE_PATHNAME', 'insitu_explain_html';
COMMENT ON FUNCTION @extschema@.explain_html(text) IS
    'the text as HTML, its words shaded by what they add to the score';

CREATE FUNCTION @extschema@.explain_html(input text, model text)
    RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000000
    AS 'MODULE_PATHNAME', 'insitu_explain_html';
COMMENT ON FUNCTION @extschema@.explain_html(text, text) IS
    'the text as HTML, its words shaded by what they add to the score';
