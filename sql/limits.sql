-- limits.sql - long texts and small limits
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_classify'
SELECT model_register('clf', :'clf') IS NOT NULL AS ok;

-- truncated at the model's length
SELECT classify(repeat('the cat ', 1000), 'clf') IS NOT NULL AS truncated;
SET insitu.on_long_input = 'error';
SELECT classify('short', 'clf') IS NOT NULL AS ok;
SELECT classify(repeat('the cat ', 1000), 'clf');
SELECT token_count(repeat('the cat ', 1000), 'clf') > 1000 AS not_truncated;
SET insitu.on_long_input = 'nosuch';
RESET insitu.on_long_input;
SELECT classify(repeat('the cat ', 1000), 'clf') IS NOT NULL AS truncated;

-- bytes
SELECT classify(repeat('a', 1048576), 'clf') IS NOT NULL AS ok;
SELECT classify(repeat('a', 1048577), 'clf');
SELECT token_count(repeat('a', 1048577), 'clf');
SET insitu.max_input_bytes = 2000;
SELECT classify(repeat('a', 2000), 'clf') IS NOT NULL AS ok;
SELECT classify(repeat('a', 2001), 'clf');
\set VERBOSITY sqlstate
SET insitu.max_input_bytes = 10;
\set VERBOSITY default
SELECT min_val, max_val FROM pg_settings WHERE name = 'insitu.max_input_bytes';
RESET insitu.max_input_bytes;
-- compressed, and refused before it is decompressed
CREATE TEMP TABLE big AS SELECT repeat('a', 50000000) AS body;
SELECT classify(body, 'clf') FROM big;

-- models over the limit go at the end of the transaction
SET insitu.max_loaded_bytes = 1000;
SELECT classify('x', 'clf') IS NOT NULL AS ok;
SELECT model_unload('clf') AS still_loaded;
RESET insitu.max_loaded_bytes;
SELECT classify('x', 'clf') IS NOT NULL AS ok;
SELECT model_unload('clf') AS still_loaded;

-- settings
\set VERBOSITY sqlstate
SET insitu.max_loaded_bytes = -1;
\set VERBOSITY default
SELECT min_val, max_val FROM pg_settings WHERE name = 'insitu.max_loaded_bytes';
SET insitu.nosuch = 1;
SET insitu.model_path = 'relative';
SET insitu.cache_directory = '/tmp';
\set VERBOSITY terse
SET insitu.kernels = 'sse9';
\set VERBOSITY default
-- every instruction set gives the same bits
SET insitu.memo_size = 0;
CREATE TEMP TABLE best AS SELECT embed('where is my parcel?') AS e;
SET insitu.kernels = 'scalar';
SELECT embed('where is my parcel?') = e AS same FROM best;
RESET insitu.kernels;
RESET insitu.memo_size;
DROP TABLE best;
SELECT name, setting, context FROM pg_settings WHERE name LIKE 'insitu.%'
 ORDER BY name;

SELECT model_drop('clf');
