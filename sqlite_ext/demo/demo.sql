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
