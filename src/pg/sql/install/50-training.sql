/* ---- training: aggregates from labelled rows to a pack ------------------ */

/*
 * The result copies the base model, so that they are, like model_export, for
 * the extension's owner and those it grants EXECUTE to.
 *
 * PARALLEL UNSAFE: workers would hand on the rows in another order each time,
 * and the model depends on the order.  FINALFUNC_MODIFY: no window function.
 * SSPACE: plans with GROUP BY sort, so that one training is there at a time.
 */
CREATE FUNCTION insitu.train_classifier_row(internal, text, text)
    RETURNS internal
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_train_classifier_row';
COMMENT ON FUNCTION insitu.train_classifier_row(internal, text, text) IS
    'a row of train_classifier';
REVOKE ALL ON FUNCTION insitu.train_classifier_row(internal, text, text)
    FROM PUBLIC;

CREATE FUNCTION insitu.train_classifier_row(internal, text, text, jsonb)
    RETURNS internal
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_train_classifier_row';
COMMENT ON FUNCTION insitu.train_classifier_row(internal, text, text, jsonb) IS
    'a row of train_classifier';
REVOKE ALL ON FUNCTION insitu.train_classifier_row(internal, text, text, jsonb)
    FROM PUBLIC;

CREATE FUNCTION insitu.train_classifier_row(internal, text, text[])
    RETURNS internal
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_train_classifier_labels_row';
COMMENT ON FUNCTION insitu.train_classifier_row(internal, text, text[]) IS
    'a row of train_classifier';
REVOKE ALL ON FUNCTION insitu.train_classifier_row(internal, text, text[])
    FROM PUBLIC;

CREATE FUNCTION insitu.train_classifier_row(internal, text, text[], jsonb)
    RETURNS internal
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_train_classifier_labels_row';
COMMENT ON FUNCTION insitu.train_classifier_row(internal, text, text[], jsonb) IS
    'a row of train_classifier';
REVOKE ALL ON FUNCTION insitu.train_classifier_row(internal, text, text[], jsonb)
    FROM PUBLIC;

CREATE FUNCTION insitu.fine_tune_classifier_row(internal, text, text, text)
    RETURNS internal
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_fine_tune_classifier_row';
COMMENT ON FUNCTION insitu.fine_tune_classifier_row(internal, text, text, text) IS
    'a row of fine_tune_classifier';
REVOKE ALL ON FUNCTION insitu.fine_tune_classifier_row(internal, text, text, text)
    FROM PUBLIC;

CREATE FUNCTION insitu.fine_tune_classifier_row(internal, text, text, text, jsonb)
    RETURNS internal
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_fine_tune_classifier_row';
COMMENT ON FUNCTION insitu.fine_tune_classifier_row(internal, text, text, text, jsonb) IS
    'a row of fine_tune_classifier';
REVOKE ALL ON FUNCTION insitu.fine_tune_classifier_row(internal, text, text, text, jsonb)
    FROM PUBLIC;

CREATE FUNCTION insitu.fine_tune_classifier_row(internal, text, text[], text)
    RETURNS internal
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_fine_tune_classifier_labels_row';
COMMENT ON FUNCTION insitu.fine_tune_classifier_row(internal, text, text[], text) IS
    'a row of fine_tune_classifier';
REVOKE ALL ON FUNCTION insitu.fine_tune_classifier_row(internal, text, text[], text)
    FROM PUBLIC;

CREATE FUNCTION insitu.fine_tune_classifier_row(internal, text, text[], text, jsonb)
    RETURNS internal
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_fine_tune_classifier_labels_row';
COMMENT ON FUNCTION insitu.fine_tune_classifier_row(internal, text, text[], text, jsonb) IS
    'a row of fine_tune_classifier';
REVOKE ALL ON FUNCTION insitu.fine_tune_classifier_row(internal, text, text[], text, jsonb)
    FROM PUBLIC;

CREATE FUNCTION insitu.train_tabular_row(internal, text, float8[])
    RETURNS internal
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_train_tabular_row';
COMMENT ON FUNCTION insitu.train_tabular_row(internal, text, float8[]) IS
    'a row of train_tabular';
REVOKE ALL ON FUNCTION insitu.train_tabular_row(internal, text, float8[])
    FROM PUBLIC;

CREATE FUNCTION insitu.train_tabular_row(internal, text, float8[], jsonb)
    RETURNS internal
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_train_tabular_row';
COMMENT ON FUNCTION insitu.train_tabular_row(internal, text, float8[], jsonb) IS
    'a row of train_tabular';
REVOKE ALL ON FUNCTION insitu.train_tabular_row(internal, text, float8[], jsonb)
    FROM PUBLIC;

CREATE FUNCTION insitu.train_tabular_row(internal, text, jsonb)
    RETURNS internal
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_train_tabular_object_row';
COMMENT ON FUNCTION insitu.train_tabular_row(internal, text, jsonb) IS
    'a row of train_tabular';
REVOKE ALL ON FUNCTION insitu.train_tabular_row(internal, text, jsonb)
    FROM PUBLIC;

CREATE FUNCTION insitu.train_tabular_row(internal, text, jsonb, jsonb)
    RETURNS internal
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100
    AS 'MODULE_PATHNAME', 'insitu_train_tabular_object_row';
COMMENT ON FUNCTION insitu.train_tabular_row(internal, text, jsonb, jsonb) IS
    'a row of train_tabular';
REVOKE ALL ON FUNCTION insitu.train_tabular_row(internal, text, jsonb, jsonb)
    FROM PUBLIC;

CREATE FUNCTION insitu.train_finish(internal)
    RETURNS bytea
    LANGUAGE c STABLE PARALLEL UNSAFE COST 1000000
    AS 'MODULE_PATHNAME', 'insitu_train_finish';
COMMENT ON FUNCTION insitu.train_finish(internal) IS
    'trains on the rows of an aggregate';
REVOKE ALL ON FUNCTION insitu.train_finish(internal) FROM PUBLIC;

CREATE AGGREGATE @extschema@.train_classifier(input text, label text) (
    SFUNC = insitu.train_classifier_row,
    STYPE = internal,
    SSPACE = 67108864,
    FINALFUNC = insitu.train_finish,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = UNSAFE
);
COMMENT ON AGGREGATE @extschema@.train_classifier(text, text) IS
    'a classifier over embeddings, to be registered';
REVOKE ALL ON FUNCTION @extschema@.train_classifier(text, text)
    FROM PUBLIC;

CREATE AGGREGATE @extschema@.train_classifier(input text, label text, options jsonb) (
    SFUNC = insitu.train_classifier_row,
    STYPE = internal,
    SSPACE = 67108864,
    FINALFUNC = insitu.train_finish,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = UNSAFE
);
COMMENT ON AGGREGATE @extschema@.train_classifier(text, text, jsonb) IS
    'a classifier over embeddings, to be registered';
REVOKE ALL ON FUNCTION @extschema@.train_classifier(text, text, jsonb)
    FROM PUBLIC;

CREATE AGGREGATE @extschema@.train_classifier(input text, labels text[]) (
    SFUNC = insitu.train_classifier_row,
    STYPE = internal,
    SSPACE = 67108864,
    FINALFUNC = insitu.train_finish,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = UNSAFE
);
COMMENT ON AGGREGATE @extschema@.train_classifier(text, text[]) IS
    'a classifier over embeddings, to be registered';
REVOKE ALL ON FUNCTION @extschema@.train_classifier(text, text[])
    FROM PUBLIC;

CREATE AGGREGATE @extschema@.train_classifier(input text, labels text[], options jsonb) (
    SFUNC = insitu.train_classifier_row,
    STYPE = internal,
    SSPACE = 67108864,
    FINALFUNC = insitu.train_finish,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = UNSAFE
);
COMMENT ON AGGREGATE @extschema@.train_classifier(text, text[], jsonb) IS
    'a classifier over embeddings, to be registered';
REVOKE ALL ON FUNCTION @extschema@.train_classifier(text, text[], jsonb)
    FROM PUBLIC;

CREATE AGGREGATE @extschema@.fine_tune_classifier(input text, label text, base text) (
    SFUNC = insitu.fine_tune_classifier_row,
    STYPE = internal,
    SSPACE = 67108864,
    FINALFUNC = insitu.train_finish,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = UNSAFE
);
COMMENT ON AGGREGATE @extschema@.fine_tune_classifier(text, text, text) IS
    'a classifier with an encoder of its own, to be registered';
REVOKE ALL ON FUNCTION @extschema@.fine_tune_classifier(text, text, text)
    FROM PUBLIC;

CREATE AGGREGATE @extschema@.fine_tune_classifier(input text, label text, base text,
    options jsonb) (
    SFUNC = insitu.fine_tune_classifier_row,
    STYPE = internal,
    SSPACE = 67108864,
    FINALFUNC = insitu.train_finish,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = UNSAFE
);
COMMENT ON AGGREGATE @extschema@.fine_tune_classifier(text, text, text, jsonb) IS
    'a classifier with an encoder of its own, to be registered';
REVOKE ALL ON FUNCTION @extschema@.fine_tune_classifier(text, text, text, jsonb)
    FROM PUBLIC;

CREATE AGGREGATE @extschema@.fine_tune_classifier(input text, labels text[], base text) (
    SFUNC = insitu.fine_tune_classifier_row,
    STYPE = internal,
    SSPACE = 67108864,
    FINALFUNC = insitu.train_finish,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = UNSAFE
);
COMMENT ON AGGREGATE @extschema@.fine_tune_classifier(text, text[], text) IS
    'a classifier with an encoder of its own, to be registered';
REVOKE ALL ON FUNCTION @extschema@.fine_tune_classifier(text, text[], text)
    FROM PUBLIC;

CREATE AGGREGATE @extschema@.fine_tune_classifier(input text, labels text[], base text,
    options jsonb) (
    SFUNC = insitu.fine_tune_classifier_row,
    STYPE = internal,
    SSPACE = 67108864,
    FINALFUNC = insitu.train_finish,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = UNSAFE
);
COMMENT ON AGGREGATE @extschema@.fine_tune_classifier(text, text[], text, jsonb) IS
    'a classifier with an encoder of its own, to be registered';
REVOKE ALL ON FUNCTION @extschema@.fine_tune_classifier(text, text[], text, jsonb)
    FROM PUBLIC;

CREATE AGGREGATE @extschema@.train_tabular(label text, VARIADIC features float8[]) (
    SFUNC = insitu.train_tabular_row,
    STYPE = internal,
    SSPACE = 67108864,
    FINALFUNC = insitu.train_finish,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = UNSAFE
);
COMMENT ON AGGREGATE @extschema@.train_tabular(text, VARIADIC float8[]) IS
    'a model over numbers, to be registered';
REVOKE ALL ON FUNCTION @extschema@.train_tabular(text, float8[])
    FROM PUBLIC;

CREATE AGGREGATE @extschema@.train_tabular(label text, features float8[], options jsonb) (
    SFUNC = insitu.train_tabular_row,
    STYPE = internal,
    SSPACE = 67108864,
    FINALFUNC = insitu.train_finish,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = UNSAFE
);
COMMENT ON AGGREGATE @extschema@.train_tabular(text, float8[], jsonb) IS
    'a model over numbers, to be registered';
REVOKE ALL ON FUNCTION @extschema@.train_tabular(text, float8[], jsonb)
    FROM PUBLIC;

CREATE AGGREGATE @extschema@.train_tabular(label text, features jsonb) (
    SFUNC = insitu.train_tabular_row,
    STYPE = internal,
    SSPACE = 67108864,
    FINALFUNC = insitu.train_finish,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = UNSAFE
);
COMMENT ON AGGREGATE @extschema@.train_tabular(text, jsonb) IS
    'a model over numbers, to be registered';
REVOKE ALL ON FUNCTION @extschema@.train_tabular(text, jsonb)
    FROM PUBLIC;

CREATE AGGREGATE @extschema@.train_tabular(label text, features jsonb, options jsonb) (
    SFUNC = insitu.train_tabular_row,
    STYPE = internal,
    SSPACE = 67108864,
    FINALFUNC = insitu.train_finish,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = UNSAFE
);
COMMENT ON AGGREGATE @extschema@.train_tabular(text, jsonb, jsonb) IS
    'a model over numbers, to be registered';
REVOKE ALL ON FUNCTION @extschema@.train_tabular(text, jsonb, jsonb)
    FROM PUBLIC;

CREATE FUNCTION @extschema@.train_progress()
    RETURNS TABLE (pid integer, database name, username name, method text,
                   phase text, epoch integer, epochs integer, step bigint,
                   steps bigint, loss double precision,
                   accuracy double precision, rows bigint, skipped bigint,
                   elapsed_seconds double precision,
                   expected_seconds double precision)
    LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
    COST 1000 ROWS 2
    AS 'MODULE_PATHNAME', 'insitu_train_progress';
COMMENT ON FUNCTION @extschema@.train_progress() IS
    'trainings that run now, on all databases';
