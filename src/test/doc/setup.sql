-- setup.sql - what the documents' examples find in a database.
CREATE TABLE tickets (id integer PRIMARY KEY, body text, created date);
INSERT INTO tickets VALUES
    (1, 'I was charged twice for the same order', '2026-01-05'),
    (2, 'Where is my parcel? It should have arrived last week', '2026-01-06'),
    (3, 'I forgot my password and cannot log in', '2026-01-06'),
    (4, 'I want my money back for the broken lamp', '2026-01-07'),
    (5, 'Please sign me up for your newsletter', '2026-01-08'),
    (6, NULL, '2026-01-09');
CREATE TABLE answered (id integer PRIMARY KEY, body text, queue text,
                       split text);
INSERT INTO answered VALUES
    (1, 'The app crashes when I open the map', 'bug', 'train'),
    (2, 'Since the update it crashes every time', 'bug', 'train'),
    (3, 'An error appears when I save my work', 'bug', 'train'),
    (4, 'The export stops with an error message', 'bug', 'train'),
    (5, 'Please add a dark theme', 'wish', 'train'),
    (6, 'I would like to export my data as a table', 'wish', 'train'),
    (7, 'Could you support a second language?', 'wish', 'train'),
    (8, 'It would be nice to have a calendar', 'wish', 'train'),
    (9, 'The page shows an error and closes', 'bug', 'test'),
    (10, 'It crashes after I log in', 'bug', 'test'),
    (11, 'Please add a way to sort the list', 'wish', 'test'),
    (12, 'I would love to see it as a table', 'wish', 'test'),
    (13, 'The screen stays black and nothing happens', 'bug', 'train'),
    (14, 'I cannot save, it says that the file is broken', 'bug', 'train'),
    (15, 'Saving takes minutes and then it fails', 'bug', 'train'),
    (16, 'A button to undo the last step would be great', 'wish', 'train'),
    (17, 'It would be great to share a list with a friend', 'wish', 'train'),
    (18, 'Please let me choose the colours', 'wish', 'train');
