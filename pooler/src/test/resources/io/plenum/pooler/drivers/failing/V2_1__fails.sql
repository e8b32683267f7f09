CREATE TABLE never_seen (id int);
INSERT INTO customer VALUES (4, 'four');
INSERT INTO customer VALUES (4, 'again');
