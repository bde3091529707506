-- setup.sql - what the documents' examples find in a database.
CREATE TABLE tickets (id integer PRIMARY KEY, body text, created date);
INSERT INTO tickets VALUES
    (1, 'I was charged twice for the same order', '2026-01-05'),
    (2, 'Where is my parcel? It should have arrived last week', '2026-01-06'),
    (3, 'I forgot my password and cannot log in', '2026-01-06'),
    (4, 'I want my money back for the broken lamp', '2026-01-07'),
    (5, 'Please sign me up for your newsletter', '2026-01-08'),
    (6, NULL, '2026-01-09');
