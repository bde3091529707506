-- bundled.sql - the model that ships, with no configuration
SELECT classify('I was charged twice for the same order');
SHOW insitu.default_classifier;
SHOW insitu.default_embedder;
SELECT label FROM classify_scores('Where is my parcel?') LIMIT 1;
SELECT model_info('insitu-mini-en')->'labels' AS labels;
SELECT array_length(embed('x'), 1);
SELECT round(sqrt(sum(x * x))::numeric, 4) AS length FROM unnest(embed('a text')) x;
SELECT cosine_distance(embed('I want my money back'),
                       embed_query('please refund me')) <
       cosine_distance(embed('I want my money back'),
                       embed_query('the weather in Oslo')) AS closer;
