-- explain.sql - which words carried a classification
\set models `echo "$INSITU_MODELS"`
\set clf :models '/encoder_bert_classify'
\set emb :models '/encoder_bert_mean'
SELECT model_register('clf', :'clf') IS NOT NULL AS ok;

-- one row per word, in the order of the text
SELECT token, start_pos, end_pos FROM explain_classify('I was charged twice, help!');
SELECT token FROM explain_classify('I was charged twice for the same order.')
 ORDER BY contribution DESC LIMIT 1;
-- the words of the label that classify gives add up to about its score
SELECT abs(sum(contribution) - classify_score(t, classify(t))) < 0.15 AS ok
  FROM (VALUES ('I was charged twice for the same order.')) v(t),
       explain_classify(t) GROUP BY t;
-- the same text, the same rows, whatever the form
SELECT (SELECT array_agg(e ORDER BY start_pos) FROM explain_classify('where is my parcel') e) =
       (SELECT array_agg(e ORDER BY start_pos) FROM explain_classify('where is my parcel', 'insitu-mini-en') e) AS same,
       (SELECT array_agg(e ORDER BY start_pos) FROM explain_classify('where is my parcel') e) =
       (SELECT array_agg(e ORDER BY start_pos) FROM explain_classify('where is my parcel', 'insitu-mini-en', 'delivery') e) AS same,
       (SELECT array_agg(e ORDER BY start_pos) FROM explain_classify('where is my parcel') e) <>
       (SELECT array_agg(e ORDER BY start_pos) FROM explain_classify('where is my parcel', 'insitu-mini-en', 'refund') e) AS other;
-- STABLE, so that the model may be an alias
SELECT model_alias('router', 'insitu-mini-en');
SELECT (SELECT array_agg(e ORDER BY start_pos) FROM explain_classify('where is my parcel') e) =
       (SELECT array_agg(e ORDER BY start_pos) FROM explain_classify('where is my parcel', 'router') e) AS same,
       (SELECT array_agg(e ORDER BY start_pos) FROM explain_classify('where is my parcel', 'insitu-mini-en', 'refund') e) =
       (SELECT array_agg(e ORDER BY start_pos) FROM explain_classify('where is my parcel', 'router', 'refund') e) AS same,
       explain_html('where is my parcel') = explain_html('where is my parcel', 'router') AS same;
SELECT classify('where is my parcel', 'router');
-- also when a prepared plan was made before it came to mean another model
PREPARE explained AS SELECT explain_html(t, 'router') = explain_html(t, 'clf') AS same
  FROM (VALUES ('a word')) v(t);
EXECUTE explained;
SELECT model_alias('router', 'clf');
EXECUTE explained;
DEALLOCATE explained;
SELECT model_drop('router');
-- positions count characters, as substr does; token is the text's own
SELECT bool_and(token = substr(t, start_pos, end_pos - start_pos + 1)) AS own,
       count(*) > 3 AS many, max(end_pos) = length(t) AS to_the_end
  FROM (VALUES ('Ärger über naïve Größe: 中文 🙂 שלום!')) v(t), explain_classify(t)
 GROUP BY t;
SELECT string_agg(token, '|') FROM explain_classify('unbelievableness ÄRGER 123abc');
-- nothing to explain
SELECT count(*) FROM explain_classify('');
SELECT count(*) FROM explain_classify(E' \n ');
SELECT count(*) FROM explain_classify(NULL);
SELECT count(*) FROM explain_classify('x', NULL);
SELECT count(*) FROM explain_classify('x', 'insitu-mini-en', NULL);
-- words behind the limit have no row
SELECT count(*) = (model_info('clf')->>'max_tokens')::int - 2 AS cut,
       max(end_pos) < 3000 AS cut
  FROM explain_classify(repeat('a ', 2000), 'clf');
SET insitu.on_long_input = 'error';
SELECT * FROM explain_classify(repeat('order ', 1000), 'insitu-mini-en', 'billing');
SELECT explain_html(repeat('order ', 1000));
RESET insitu.on_long_input;
-- errors
SELECT * FROM explain_classify('x', 'insitu-mini-en', 'bill');
SELECT * FROM explain_classify('x', 'nowhere');
SELECT model_register('emb', :'emb') IS NOT NULL AS ok;
SELECT * FROM explain_classify('x', 'emb');
SELECT explain_html('x', 'emb');

-- HTML
SELECT explain_html(NULL) IS NULL AS ok, explain_html('x', NULL) IS NULL AS ok;
SELECT h ~ '^<div ' AS one, h ~ '</div>\n$' AS whole, h !~ '<script' AS safe,
       h ~ '&lt;script&gt;|&lt;</span>' AS escaped, h ~ 'title="[+-]0' AS figures
  FROM explain_html('my <script>alert("1")</script> parcel is late') h;
SELECT h ~ '<bdi>delivery</bdi></b> [01]\.\d\d\d<' AS head,
       h ~ 'opacity' AS pale
  FROM explain_html('where is my parcel', 'insitu-mini-en') h;
SELECT h ~ 'opacity:.6' AS pale FROM explain_html(repeat('a ', 2000), 'clf') h;
-- cancelled at once
SET statement_timeout = '20ms';
SELECT count(*) FROM explain_classify(repeat('my order is late ', 100));
RESET statement_timeout;
-- many rows, and in the place of an expression
SELECT count(*), sum(n) FROM (
  SELECT i, count(*) AS n
    FROM (SELECT i, 'order ' || i AS t FROM generate_series(1, 5) i) s,
         explain_classify(t, 'clf') GROUP BY i) x;
SELECT model_drop('clf'), model_drop('emb');
