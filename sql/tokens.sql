-- tokens.sql - what the models read
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_classify'
SELECT model_register('clf', :'clf') IS NOT NULL AS ok;

SELECT i, token, start_pos, end_pos FROM tokens('My order');
SELECT token_count('My order'), array_length(token_ids('My order'), 1);
SELECT token_ids('My order') = (SELECT array_agg(token_id ORDER BY i)
                                  FROM tokens('My order')) AS same;
SELECT pg_typeof(token_ids('x')), array_lower(token_ids('x'), 1);
-- [CLS] and [SEP]
SELECT token_count(''), token_count('   ');
SELECT i, token, start_pos, end_pos FROM tokens('');
-- positions count characters, as substr does
SELECT token, substr(t, start_pos, end_pos - start_pos + 1) AS piece
  FROM (VALUES ('Ärger über naïve Größe!')) v(t), tokens(t)
 WHERE start_pos IS NOT NULL AND token = '!';
SELECT bool_and(start_pos <= end_pos) AS ordered,
       max(end_pos) = length('Ärger über naïve Größe!') AS to_the_end
  FROM tokens('Ärger über naïve Größe!');
SELECT bool_and(i = n) AS numbered
  FROM (SELECT i, row_number() OVER () AS n FROM tokens('one two three')) x;
-- not truncated
SELECT token_count(repeat('order ', 5000));
SELECT token_count(repeat('a', 100000));
SELECT token_count(repeat('!', 100000));
SELECT token_count('My order', 'clf') > 2 AS ok,
       token_ids('My order', 'clf') IS NOT NULL AS ok;
SELECT count(*) > 2 AS ok FROM tokens('My order', 'clf');

SELECT model_drop('clf');
