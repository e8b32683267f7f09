CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE purchase (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int REFERENCES customer, cents bigint);
CREATE FUNCTION total(which int) RETURNS bigint LANGUAGE plpgsql STABLE AS $body$
BEGIN
    RETURN (SELECT sum(cents) FROM purchase WHERE customer = which); -- one statement; with a semicolon in it
END
$body$;
