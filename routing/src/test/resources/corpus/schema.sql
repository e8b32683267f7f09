-- The schema that the statements of statements.txt speak of. They run as its owner on any PostgreSQL from 15.
CREATE TABLE users (
    id bigint PRIMARY KEY, name text, email text, age int, created_at timestamptz DEFAULT now(),
    data jsonb, tags text[], parent_id bigint, "update" int, "Weird ""Name" int, pos point, addr inet,
    body tsvector, during tstzrange, active boolean DEFAULT true, balance numeric(12, 2), doc json
);
CREATE TABLE orders (
    id bigint PRIMARY KEY, user_id bigint, total numeric, status text, placed_at timestamptz, note varchar(80),
    share int, key text, value text, level int
);
CREATE TABLE temp (id int);
CREATE SEQUENCE seq;
CREATE SCHEMA app;
CREATE TABLE app.items (id int, label text, into_box int);
CREATE FUNCTION touch() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO temp VALUES (1) RETURNING id';
CREATE FUNCTION app.lower(text) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT $1';
CREATE FUNCTION first(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1';
CREATE FUNCTION key(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1';
CREATE FUNCTION isnull(int, int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1';
CREATE FUNCTION "values"(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1';
INSERT INTO users (id, name, email, age, data, tags) VALUES
    (1, 'Ada', 'ada@example.org', 36, '{"a": 1}', '{x,y}'), (2, 'Bob', NULL, 20, '{"a": 2}', '{}');
INSERT INTO orders (id, user_id, total, status) VALUES (1, 1, 10.5, 'paid'), (2, 1, 7, 'open');
