-- tickets.sql - twelve tickets as people write them.
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
