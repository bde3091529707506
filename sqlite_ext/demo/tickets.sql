-- tickets.sql - twelve tickets as people write them, and requests that were
-- answered, with the queue that they went to.
CREATE TABLE tickets (id INTEGER PRIMARY KEY, body TEXT NOT NULL);

INSERT INTO tickets (body) VALUES
  ('Hi, I just looked at my bank statement and you took the money for the same
order twice, once on Monday and again on Tuesday. Can you please sort this out?'),
  ('The parcel was meant to be here by Friday. It is now the following Wednesday
and the tracking page has not moved since the depot. Where is it?'),
  ('I sent the shoes back three weeks ago because they were too small and I still
have not got my money. How much longer does this take?'),
  ('Since I got a new phone I can''t log in any more. It keeps telling me the
password is wrong and the reset mail never comes.'),
  ('We are moving house next month. Could you send everything from then on to our
new address instead of the old one?'),
  ('I ordered the blue jacket this morning but picked the wrong size by mistake.
Is there any way to swap it before it ships?'),
  ('Please stop the monthly plan, I do not use it any longer. And is there a fee
for leaving before the year is over?'),
  ('I would much rather talk to a person than to a robot. Which number do I call
and when is somebody there?'),
  ('My accountant needs the invoice for the order from January. I can not find it
anywhere on the site.'),
  ('Just wanted to say that the lady who helped me yesterday was wonderful.
Patient, friendly and she knew what she was talking about.'),
  ('How do I sign up for your weekly newsletter? My sister keeps telling me about
the offers in it.'),
  ('Do you know whether it is going to rain in Lisbon this weekend?');

-- Line breaks are only there to keep this file narrow.
UPDATE tickets SET body = replace(body, char(10), ' ');

CREATE TABLE answered (id INTEGER PRIMARY KEY, body TEXT, queue TEXT,
                       split TEXT);
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
