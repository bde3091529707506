-- memo.sql - recent results: not computed again, and forgotten when the user
-- changes
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_classify'
SELECT model_register('m', :'clf') IS NOT NULL AS ok;
SHOW insitu.memo_size;
SELECT current_setting('server_version_num')::int >= 140000 AS has_contexts \gset
-- what the encoder had to do since the last look, and what it was spared
CREATE TEMP TABLE look AS SELECT 0::bigint AS tokens, 0::bigint AS hits;
CREATE FUNCTION pg_temp.work(OUT computed boolean, OUT hits bigint) LANGUAGE sql AS
'WITH now AS (SELECT s.tokens, s.memo_hits FROM model_stats() s WHERE s.digest = model_info(''m'')->>''digest''),
      old AS MATERIALIZED (SELECT tokens, hits FROM look),
      new AS (UPDATE look SET tokens = now.tokens, hits = now.memo_hits FROM now)
 SELECT now.tokens > old.tokens, now.memo_hits - old.hits FROM now, old';
SELECT classify_score('the cat', 'label-0', 'm') AS first \gset
SELECT computed FROM pg_temp.work();
SELECT classify_score('the cat', 'label-0', 'm') = :'first'::real AS same;
SELECT * FROM pg_temp.work();
-- another function of the same task finds the row, another text does not
SELECT count(*) > 1 AS labels FROM classify_scores('the cat', 'm');
SELECT * FROM pg_temp.work();
SELECT classify('the dog', 'm') IS NOT NULL AS ok;
SELECT * FROM pg_temp.work();
-- equal texts of one call are computed once, and none that is known
SELECT count(label) FROM classify_batch(array_fill('the cat'::text, ARRAY[100]), 'm');
SELECT * FROM pg_temp.work();
SELECT count(DISTINCT score) FROM classify_batch(array_fill('a cat'::text, ARRAY[30]), 'm');
SELECT * FROM pg_temp.work();
-- a refusal is not answered from what was cut
SELECT classify(repeat('the cat ', 1000), 'm') IS NOT NULL AS truncated;
SET insitu.on_long_input = error;
SELECT classify(repeat('the cat ', 1000), 'm');
SELECT classify('the cat', 'm') IS NOT NULL AS ok;
RESET insitu.on_long_input;
SELECT * FROM pg_temp.work();

-- another user computes anew, and so does the first one afterwards
CREATE ROLE regress_insitu_memo;
SELECT classify('the cat', 'm') IS NOT NULL AS ok;
SELECT computed FROM pg_temp.work();
SET ROLE regress_insitu_memo;
SELECT classify('the cat', 'm') IS NOT NULL AS ok;
RESET ROLE;
SELECT computed FROM pg_temp.work();
SELECT classify('the cat', 'm') IS NOT NULL AS ok;
SELECT computed FROM pg_temp.work();
SELECT classify('the cat', 'm') IS NOT NULL AS ok;
SELECT computed FROM pg_temp.work();
SET SESSION AUTHORIZATION regress_insitu_memo;
SELECT classify('the cat', 'm') IS NOT NULL AS ok;
RESET SESSION AUTHORIZATION;
SELECT computed FROM pg_temp.work();
SELECT classify('the cat', 'm') IS NOT NULL AS ok;
SELECT computed FROM pg_temp.work();
CREATE FUNCTION classify_as_owner(input text) RETURNS text LANGUAGE plpgsql
    SECURITY DEFINER AS 'BEGIN RETURN classify(input, ''m''); END';
ALTER FUNCTION classify_as_owner OWNER TO regress_insitu_memo;
SELECT classify_as_owner('the cat') IS NOT NULL AS ok;
SELECT computed FROM pg_temp.work();
SELECT classify('the cat', 'm') IS NOT NULL AS ok;
SELECT computed FROM pg_temp.work();
DROP FUNCTION classify_as_owner;

-- forgotten with everything else
SELECT classify('the cat', 'm') IS NOT NULL AS ok;
SELECT computed FROM pg_temp.work();
DISCARD PLANS;
SELECT classify('the cat', 'm') IS NOT NULL AS ok;
SELECT computed FROM pg_temp.work();
CREATE TABLE kept AS SELECT tokens FROM model_stats() WHERE digest = model_info('m')->>'digest';
DISCARD ALL;
SELECT classify('the cat', 'm') IS NOT NULL AS ok;
SELECT s.tokens > k.tokens AS computed FROM model_stats() s, kept k WHERE digest = model_info('m')->>'digest';
DROP TABLE kept;

-- other sizes, and none
CREATE TEMP TABLE look AS SELECT 0::bigint AS tokens, 0::bigint AS hits;
CREATE FUNCTION pg_temp.work(OUT computed boolean, OUT hits bigint) LANGUAGE sql AS
'WITH now AS (SELECT s.tokens, s.memo_hits FROM model_stats() s WHERE s.digest = model_info(''m'')->>''digest''),
      old AS MATERIALIZED (SELECT tokens, hits FROM look),
      new AS (UPDATE look SET tokens = now.tokens, hits = now.memo_hits FROM now)
 SELECT now.tokens > old.tokens, now.memo_hits - old.hits FROM now, old';
SELECT computed FROM pg_temp.work();
SET insitu.memo_size = '4MB';
SELECT classify('the cat', 'm') = classify('the cat', 'm') AS same;
SELECT computed FROM pg_temp.work();
SELECT classify('the cat', 'm') IS NOT NULL AS ok;
SELECT * FROM pg_temp.work();
\if :has_contexts
SELECT sum(total_bytes) BETWEEN 4000000 AND 4300000 AS bounded
  FROM pg_backend_memory_contexts WHERE name = 'insitu memo';
\else
\echo ' bounded \n---------\n t\n(1 row)\n'
\endif
SET insitu.memo_size = '1kB';
SELECT count(DISTINCT classify_score(n::text, 'label-0', 'm')) > 1 AS ok FROM generate_series(1, 100) n;
SET insitu.memo_size = 0;
SELECT classify('the cat', 'm') = classify('the cat', 'm') AS same;
SELECT computed FROM pg_temp.work();
SELECT classify('the cat', 'm') IS NOT NULL AS ok;
SELECT * FROM pg_temp.work();
\if :has_contexts
SELECT coalesce(sum(total_bytes), 0) < 20000 AS given_back
  FROM pg_backend_memory_contexts WHERE name = 'insitu memo';
\else
\echo ' given_back \n------------\n t\n(1 row)\n'
\endif
\set VERBOSITY sqlstate
SET insitu.memo_size = -1;
\set VERBOSITY default
SELECT min_val, max_val FROM pg_settings WHERE name = 'insitu.memo_size';
RESET insitu.memo_size;

-- scratch memory of this backend's session
SELECT session_bytes > 10000 AS scratch FROM model_stats() WHERE digest = model_info('m')->>'digest';
SELECT model_unload('m');
SELECT session_bytes FROM model_stats() WHERE digest = model_info('m')->>'digest';
SELECT model_drop('m');
DROP ROLE regress_insitu_memo;
