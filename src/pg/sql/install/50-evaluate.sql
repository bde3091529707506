/* ---- evaluation: aggregates over predictions ---------------------------- */

/*
 * What the aggregates are made of.  The states are internal: SQL cannot call
 * these functions by themselves.
 */
CREATE FUNCTION insitu.evaluation_add(state internal, predicted text, actual text)
    RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'insitu_evaluation_add';
CREATE FUNCTION insitu.evaluation_merge(state internal, other internal)
    RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'insitu_evaluation_merge';
CREATE FUNCTION insitu.evaluation_save(state internal)
    RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'insitu_evaluation_save';
CREATE FUNCTION insitu.evaluation_load(saved bytea, unused internal)
    RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'insitu_evaluation_load';
CREATE FUNCTION insitu.evaluation_accuracy(state internal)
    RETURNS double precision
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'insitu_evaluation_accuracy';
CREATE FUNCTION insitu.evaluation_report(state internal)
    RETURNS jsonb
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'insitu_evaluation_report';
CREATE FUNCTION insitu.evaluation_confusion(state internal)
    RETURNS jsonb
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'insitu_evaluation_confusion';
CREATE FUNCTION insitu.evaluation_html(state internal)
    RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'insitu_evaluation_html';
CREATE FUNCTION insitu.calibration_add(state internal, score double precision, hit boolean)
    RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'insitu_calibration_add';
CREATE FUNCTION insitu.calibration_merge(state internal, other internal)
    RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'insitu_calibration_merge';
CREATE FUNCTION insitu.calibration_save(state internal)
    RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'insitu_calibration_save';
CREATE FUNCTION insitu.calibration_load(saved bytea, unused internal)
    RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'insitu_calibration_load';
CREATE FUNCTION insitu.calibration_report(state internal)
    RETURNS jsonb
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'insitu_calibration_report';

CREATE AGGREGATE @extschema@.eval_accuracy(predicted text, actual text) (
    SFUNC = insitu.evaluation_add,
    STYPE = internal,
    SSPACE = 2000,
    FINALFUNC = insitu.evaluation_accuracy,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = insitu.evaluation_merge,
    SERIALFUNC = insitu.evaluation_save,
    DESERIALFUNC = insitu.evaluation_load,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.eval_accuracy(text, text) IS
    'the share of rows whose prediction is right';

CREATE AGGREGATE @extschema@.eval_report(predicted text, actual text) (
    SFUNC = insitu.evaluation_add,
    STYPE = internal,
    SSPACE = 2000,
    FINALFUNC = insitu.evaluation_report,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = insitu.evaluation_merge,
    SERIALFUNC = insitu.evaluation_save,
    DESERIALFUNC = insitu.evaluation_load,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.eval_report(text, text) IS
    'precision, recall and F1 of all labels, their averages, the confusion matrix';

CREATE AGGREGATE @extschema@.eval_confusion(predicted text, actual text) (
    SFUNC = insitu.evaluation_add,
    STYPE = internal,
    SSPACE = 2000,
    FINALFUNC = insitu.evaluation_confusion,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = insitu.evaluation_merge,
    SERIALFUNC = insitu.evaluation_save,
    DESERIALFUNC = insitu.evaluation_load,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.eval_confusion(text, text) IS
    'how many rows of which label were predicted as which';

CREATE AGGREGATE @extschema@.eval_html(predicted text, actual text) (
    SFUNC = insitu.evaluation_add,
    STYPE = internal,
    SSPACE = 2000,
    FINALFUNC = insitu.evaluation_html,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = insitu.evaluation_merge,
    SERIALFUNC = insitu.evaluation_save,
    DESERIALFUNC = insitu.evaluation_load,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.eval_html(text, text) IS
    'the report as an HTML page';

CREATE AGGREGATE @extschema@.eval_calibration(score double precision, hit boolean) (
    SFUNC = insitu.calibration_add,
    STYPE = internal,
    SSPACE = 400,
    FINALFUNC = insitu.calibration_report,
    FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = insitu.calibration_merge,
    SERIALFUNC = insitu.calibration_save,
    DESERIALFUNC = insitu.calibration_load,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.eval_calibration(double precision, boolean) IS
    'whether scores say how often they are right';
