-- queries.sql - what both databases must answer alike (run_cross.py).
--
-- Each statement is one test.  The comment before it names the test and how
-- its answers compare: "exact", or "close" for floats, equal in their bits.
-- @texts@ stands for all texts in order of id: an array in PostgreSQL, JSON
-- in SQLite.

-- exact: labels
SELECT id, classify(body) FROM texts ORDER BY id;

-- exact: labels of a named model
SELECT id, classify(body, 'insitu-mini-en') FROM texts ORDER BY id;

-- close: score of one label
SELECT id, classify_score(body, 'billing') FROM texts ORDER BY id;

-- close: all scores
SELECT t.id, s.label, s.score FROM texts t, classify_scores(t.body) s
 ORDER BY t.id, s.label;

-- close: embeddings
SELECT id, embed(body) FROM texts ORDER BY id;

-- close: embeddings of queries
SELECT id, embed_query(body, 'insitu-mini-en') FROM texts ORDER BY id;

-- exact: token counts
SELECT id, token_count(body) FROM texts ORDER BY id;

-- exact: token ids
SELECT id, token_ids(body) FROM texts ORDER BY id;

-- exact: tokens with their positions
SELECT t.id, k.i, k.token, k.token_id, k.start_pos, k.end_pos
  FROM texts t, tokens(t.body) k ORDER BY t.id, k.i;

-- close: labels in a batch
SELECT b.i, b.label, b.score FROM classify_batch(@texts@) b ORDER BY b.i;

-- close: embeddings in a batch
SELECT b.i, b.embedding FROM embed_batch(@texts@) b ORDER BY b.i;

-- exact: labels of the rows of a window
SELECT id, classify_window(body) OVER
    (ORDER BY id ROWS BETWEEN CURRENT ROW AND 31 FOLLOWING)
  FROM texts ORDER BY id;

-- close: scores of the rows of a window
SELECT id, classify_score_window(body, 'billing') OVER
    (ORDER BY id ROWS BETWEEN CURRENT ROW AND 9 FOLLOWING)
  FROM texts ORDER BY id;

-- close: embeddings of other frames
SELECT id, embed_window(body, 'insitu-mini-en') OVER
    (ORDER BY id DESC ROWS BETWEEN 2 PRECEDING AND 3 FOLLOWING EXCLUDE TIES)
  FROM texts ORDER BY id;

-- close: which words carried a classification
SELECT t.id, x.token, x.start_pos, x.end_pos, x.contribution
  FROM texts t, explain_classify(t.body) x WHERE t.id % 5 = 1
 ORDER BY t.id, x.start_pos;

-- close: which words spoke for another label
SELECT x.token, x.contribution
  FROM explain_classify('my parcel is late, please cancel the order',
                        'insitu-mini-en', 'cancellation') x
 ORDER BY x.start_pos;

-- exact: the same as HTML
SELECT id, explain_html(body) FROM texts WHERE id % 5 = 2 ORDER BY id;

-- exact: how many of each label
SELECT classify(body) AS label, count(*) FROM texts GROUP BY 1 ORDER BY 1;

-- exact: NULL gives NULL
SELECT classify(NULL), embed(NULL), token_count(NULL);

-- exact: description of the shipped model
SELECT model_info('insitu-mini-en');

-- exact: names and digests of the models
SELECT name, digest FROM model_list() ORDER BY name;

-- exact: report on predictions
SELECT eval_report(classify(body),
                   CASE WHEN id % 3 = 0 THEN 'billing' ELSE 'delivery' END)
  FROM texts;

-- exact: reports on groups, with NULL
SELECT id % 4, eval_report(classify(body), nullif(substr(body, 1, 1), 'T')),
       eval_accuracy(classify(body), 'billing')
  FROM texts GROUP BY 1 ORDER BY 1;

-- exact: confusion of many labels
SELECT eval_confusion(body, substr(body, 1, 2)) FROM texts
 WHERE length(body) < 2000;

-- exact: calibration
SELECT eval_calibration(classify_score(body, 'billing'),
                        classify(body) = 'billing') FROM texts;

-- exact: the page of a report
SELECT eval_html(substr(body, 1, 9), substr(body, 1, id % 9)) FROM texts;

-- exact: reports on no rows
SELECT eval_report('a', 'a'), eval_accuracy('a', 'a'), eval_html('a', 'a'),
       eval_calibration(0.5, true) FROM texts WHERE id < 0;
