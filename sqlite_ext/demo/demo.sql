-- demo.sql - what insitu does, on a small table of tickets.
.mode box --wrap 76 --wordwrap on
.headers on

.print
.print 'Which queue does each ticket belong to?'
.print '    SELECT id, classify(body), body FROM tickets;'
.print
SELECT id, classify(body) AS queue, body FROM tickets;

.print
.print 'How sure is the model, and what else might it be?'
.print '    SELECT t.id, s.label, s.score FROM tickets t, classify_scores(t.body) s;'
.print
SELECT t.id, s.label, round(s.score, 3) AS score
  FROM tickets AS t, classify_scores(t.body) AS s
 WHERE t.id = 1
 LIMIT 3;

.print
.print 'Which tickets are nearest to "I want my money back"?'
.print "    SELECT id, cosine_distance(embed(body), embed_query('...')) FROM tickets;"
.print
WITH query AS MATERIALIZED (
  SELECT embed_query('I want my money back') AS vector)
SELECT id,
       round(cosine_distance(embed(body), query.vector), 3) AS distance,
       body
  FROM tickets, query
 ORDER BY cosine_distance(embed(body), query.vector)
 LIMIT 3;

.print
.print 'A model of your own, from rows that people have answered:'
.print "    SELECT model_register('route-v1', train_classifier(body, queue)) FROM answered"
.print "     WHERE split = 'train';"
.print
SELECT substr(model_register('route-v1', train_classifier(body, queue)), 1, 16)
       || '...' AS model
  FROM answered
 WHERE split = 'train';

.print
.print 'Is it any good, on rows that it has not seen?'
.print "    SELECT eval_accuracy(classify(body, 'route-v1'), queue) FROM answered"
.print "     WHERE split = 'test';"
.print
SELECT body, queue, classify(body, 'route-v1') AS predicted
  FROM answered
 WHERE split = 'test';
SELECT eval_accuracy(classify(body, 'route-v1'), queue) AS accuracy
  FROM answered
 WHERE split = 'test';

.print
.print 'Which words decide?'
.print "    SELECT token, contribution FROM explain_classify('...', 'route-v1');"
.print
SELECT token, round(contribution, 3) AS contribution
  FROM explain_classify('It crashes whenever I print', 'route-v1');
