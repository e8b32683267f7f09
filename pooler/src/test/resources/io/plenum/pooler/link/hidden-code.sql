-- What HiddenCodeIT plays: definitions in the schema h, then statements, each of which runs code that takes a lock.
CREATE FUNCTION h.vlocks(int) RETURNS int LANGUAGE plpgsql AS $$BEGIN PERFORM pg_advisory_lock($1); RETURN $1; END$$;
CREATE FUNCTION h.locks_row() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_advisory_lock(7); RETURN coalesce(NEW, OLD); END$$;
CREATE FUNCTION h.plainrow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE TABLE h.src (id int); INSERT INTO h.src VALUES (1), (2);
CREATE TABLE h.def (id int, v int DEFAULT h.vlocks(5));
CREATE TABLE h.gen (id int, v int GENERATED ALWAYS AS (h.locks(id)) STORED);
CREATE TABLE h.chk (id int CHECK (h.vlocks(id) > 0));
CREATE TABLE h.chk2 (id int); INSERT INTO h.chk2 VALUES (1); ALTER TABLE h.chk2 ADD CONSTRAINT c CHECK (h.vlocks(id) > 0) NOT VALID;
CREATE TABLE h.idx (id int); CREATE INDEX ON h.idx (h.locks(id));
CREATE TABLE h.pred (id int); CREATE INDEX ON h.pred (id) WHERE h.locks(id) > 0;
CREATE TABLE h.rls (id int); ALTER TABLE h.rls ENABLE ROW LEVEL SECURITY; ALTER TABLE h.rls FORCE ROW LEVEL SECURITY; INSERT INTO h.rls VALUES (1); CREATE POLICY p ON h.rls USING (h.vlocks(5) > 0); GRANT ALL ON SCHEMA h TO app; GRANT ALL ON h.rls TO app;
CREATE TABLE h.pk (id int PRIMARY KEY); CREATE TABLE h.fk (id int REFERENCES h.pk ON DELETE CASCADE ON UPDATE CASCADE); CREATE TRIGGER t AFTER DELETE OR UPDATE ON h.fk FOR EACH ROW EXECUTE FUNCTION h.locks_row();
CREATE TABLE h.fk2 (id int DEFAULT h.vlocks(5) REFERENCES h.pk ON DELETE SET DEFAULT);
CREATE TABLE h.ruled (id int); CREATE RULE r AS ON INSERT TO h.ruled DO ALSO SELECT h.vlocks(5);
CREATE TABLE h.ruledel (id int); INSERT INTO h.ruledel VALUES (1); CREATE RULE r AS ON DELETE TO h.ruledel DO INSTEAD SELECT h.vlocks(5);
CREATE FUNCTION h.step(int, int) RETURNS int LANGUAGE plpgsql AS $$BEGIN PERFORM pg_advisory_lock(7); RETURN 1; END$$;
CREATE AGGREGATE h.agg (int) (SFUNC = h.step, STYPE = int, INITCOND = '0');
CREATE FUNCTION h.cstep(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE h.fagg (int) (SFUNC = h.cstep, STYPE = int, FINALFUNC = h.vlocks, INITCOND = '3');
CREATE AGGREGATE h.magg (int) (SFUNC = h.cstep, STYPE = int, MSFUNC = h.step, MINVFUNC = h.step, MSTYPE = int, INITCOND = '0', MINITCOND = '0');
CREATE AGGREGATE h.hagg (ORDER BY int) (SFUNC = h.cstep, STYPE = int, FINALFUNC = h.vlocks, INITCOND = '3');
CREATE TABLE h.trg (id int); CREATE TRIGGER t BEFORE INSERT ON h.trg FOR EACH ROW EXECUTE FUNCTION h.locks_row();
CREATE VIEW h.utrg AS SELECT id FROM h.trg;
CREATE TABLE h.whn (id int); CREATE TRIGGER t BEFORE INSERT ON h.whn FOR EACH ROW WHEN (h.vlocks(NEW.id) > 0) EXECUTE FUNCTION h.plainrow();
CREATE TABLE h.dfr (id int); CREATE CONSTRAINT TRIGGER t AFTER INSERT ON h.dfr DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION h.locks_row();
CREATE TABLE h.tp (id int) PARTITION BY LIST (id); CREATE TABLE h.tp1 PARTITION OF h.tp FOR VALUES IN (1); CREATE TABLE h.tp2 PARTITION OF h.tp FOR VALUES IN (2); INSERT INTO h.tp VALUES (1); CREATE TRIGGER t AFTER INSERT ON h.tp2 FOR EACH ROW EXECUTE FUNCTION h.locks_row();
CREATE TABLE h.ttr (id int) PARTITION BY LIST (id); CREATE TABLE h.ttr1 PARTITION OF h.ttr DEFAULT; CREATE TRIGGER t AFTER TRUNCATE ON h.ttr1 FOR EACH STATEMENT EXECUTE FUNCTION h.locks_row();
CREATE VIEW h.vw AS SELECT h.vlocks(5) AS id; CREATE VIEW h.vv AS SELECT * FROM h.vw;
CREATE VIEW h.inst AS SELECT 1 AS id; CREATE TRIGGER t INSTEAD OF INSERT ON h.inst FOR EACH ROW EXECUTE FUNCTION h.locks_row();
CREATE MATERIALIZED VIEW h.mv AS SELECT h.vlocks(5) AS id WITH NO DATA;
CREATE FUNCTION h.inl(int) RETURNS int LANGUAGE sql AS 'SELECT h.vlocks($1)';
CREATE FUNCTION h.vari(VARIADIC int[]) RETURNS int LANGUAGE sql AS 'SELECT h.vlocks($1[1])';
CREATE FUNCTION h.srf() RETURNS SETOF int LANGUAGE plpgsql AS $$BEGIN RETURN QUERY SELECT h.vlocks(5); END$$;
CREATE FUNCTION h.outp(OUT a int, OUT b int) LANGUAGE plpgsql AS $$BEGIN a := h.vlocks(5); b := 1; END$$;
CREATE PROCEDURE h.proc() LANGUAGE plpgsql AS $$BEGIN PERFORM pg_advisory_lock(7); END$$;
CREATE FUNCTION h.reads() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM h.vw';
CREATE FUNCTION h.writes() RETURNS void LANGUAGE sql AS 'INSERT INTO h.trg VALUES (1)';
CREATE FUNCTION h.writes2() RETURNS void LANGUAGE plpgsql AS $$BEGIN INSERT INTO h.pk VALUES (99); DELETE FROM h.ruledel; END$$;
CREATE FUNCTION h.callsproc() RETURNS void LANGUAGE plpgsql AS $$BEGIN CALL h.proc(); END$$;
CREATE TABLE h.par (id int); CREATE TABLE h.chi () INHERITS (h.par); INSERT INTO h.chi VALUES (1); CREATE TRIGGER t AFTER UPDATE ON h.chi FOR EACH ROW EXECUTE FUNCTION h.locks_row();
CREATE TABLE h.att (id int); INSERT INTO h.att VALUES (3);
CREATE TABLE h.colt (id int, x int); INSERT INTO h.colt VALUES (1); CREATE INDEX ON h.colt (h.locks(id)); 
CREATE FUNCTION h.cur() RETURNS refcursor LANGUAGE plpgsql AS $$DECLARE c refcursor := 'cc'; BEGIN OPEN c FOR SELECT h.vlocks(5); RETURN c; END$$;
CREATE FUNCTION h.raises() RETURNS int LANGUAGE plpgsql AS $$BEGIN PERFORM pg_advisory_lock(7); RAISE EXCEPTION 'x'; END$$;
CREATE FUNCTION h.begatomic() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT h.vlocks(5); END;
CREATE FUNCTION h.rec(h.src) RETURNS int LANGUAGE sql AS 'SELECT h.vlocks(5)';
CREATE TABLE h.ident (id int GENERATED ALWAYS AS IDENTITY, v int);
CREATE FUNCTION h.trtab() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM h.vlocks(count(*)::int) FROM newt; RETURN NULL; END$$;
CREATE TABLE h.tran (id int); CREATE TRIGGER t AFTER INSERT ON h.tran REFERENCING NEW TABLE AS newt FOR EACH STATEMENT EXECUTE FUNCTION h.trtab();
CREATE FUNCTION h.foldc() RETURNS int LANGUAGE plpgsql AS $$DECLARE r record; BEGIN FOR r IN SELECT * FROM h.vw LOOP NULL; END LOOP; RETURN 1; END$$;
CREATE TABLE h.excl (id int, EXCLUDE USING btree (h.locks(id) WITH =));
-- statements
INSERT INTO def (id) VALUES (1)
INSERT INTO def VALUES (1, DEFAULT)
INSERT INTO def SELECT 1
INSERT INTO gen (id) VALUES (5)
UPDATE gen SET id = 6
INSERT INTO chk VALUES (5)
INSERT INTO idx VALUES (5)
INSERT INTO pred VALUES (5)
UPDATE idx SET id = 8
BEGIN; SET LOCAL ROLE app; SELECT * FROM rls; COMMIT
BEGIN; SET LOCAL ROLE app; UPDATE rls SET id = 1; COMMIT
INSERT INTO pk VALUES (1),(2),(3); INSERT INTO fk VALUES (1),(2)
DELETE FROM pk WHERE id = 1
UPDATE pk SET id = 22 WHERE id = 2
INSERT INTO pk VALUES (5), (6); INSERT INTO fk2 VALUES (6)
DELETE FROM pk WHERE id = 6
INSERT INTO ruled VALUES (1)
DELETE FROM ruledel
SELECT agg(id) FROM src
SELECT fagg(id) FROM src
SELECT magg(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM src
SELECT hagg() WITHIN GROUP (ORDER BY id) FROM src
SELECT agg(id) OVER () FROM src
INSERT INTO trg VALUES (1)
INSERT INTO utrg VALUES (1)
INSERT INTO whn VALUES (5)
INSERT INTO dfr VALUES (5)
BEGIN; INSERT INTO dfr VALUES (5); SET CONSTRAINTS ALL IMMEDIATE; COMMIT
UPDATE tp SET id = 2 WHERE id = 1
TRUNCATE ttr
SELECT * FROM vw
SELECT * FROM vv
TABLE vv
INSERT INTO inst VALUES (1)
REFRESH MATERIALIZED VIEW mv
SELECT inl(5)
SELECT vari(5, 6)
SELECT vari(VARIADIC ARRAY[5])
SELECT * FROM srf()
SELECT * FROM outp()
SELECT (outp()).a
CALL proc()
SELECT reads()
SELECT writes()
SELECT writes2()
SELECT callsproc()
UPDATE par SET id = 2
BEGIN; SELECT cur(); FETCH ALL FROM cc; COMMIT
SELECT begatomic()
SELECT rec(src) FROM src
SELECT src.rec FROM src
INSERT INTO ident (v) VALUES (locks(3))
INSERT INTO tran VALUES (1)
SELECT foldc()
INSERT INTO excl VALUES (3)
EXPLAIN SELECT locks(5)
EXPLAIN (ANALYZE) SELECT * FROM vw
COPY (SELECT vlocks(5)) TO STDOUT
MERGE INTO trg USING src ON trg.id = src.id WHEN NOT MATCHED THEN INSERT VALUES (9)
WITH i AS (INSERT INTO trg VALUES (2) RETURNING *) SELECT * FROM i
INSERT INTO trg VALUES (1) ON CONFLICT DO NOTHING
SELECT query_to_xml('SELECT vlocks(5)', true, false, '')
SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, ''b''::tsquery FROM vw')
SELECT * FROM ts_stat('SELECT to_tsvector(vlocks(5)::text)')
SELECT brin_summarize_new_values('idx'::regclass) WHERE false
VALUES (vlocks(5))
SELECT 1 FROM src TABLESAMPLE bernoulli(100) REPEATABLE (vlocks(5))
SELECT 1 LIMIT vlocks(1)
SELECT count(*) FILTER (WHERE vlocks(5) > 0) FROM src
SELECT CASE WHEN vlocks(5) > 0 THEN 1 END
SELECT * FROM ROWS FROM (srf(), srf())
SELECT * FROM src, LATERAL (SELECT vlocks(id)) s
SELECT U&"vlocks"(5)
SELECT "vlocks"(5)
SELECT h . vlocks (5)
SELECT * FROM xmltable('/a' PASSING '<a/>' COLUMNS b int DEFAULT vlocks(5))
SELECT * FROM json_table('[1]', '$[*]' COLUMNS (a int PATH '$.x' DEFAULT vlocks(5) ON EMPTY))
SELECT JSON_VALUE('{}', '$.a' RETURNING int DEFAULT vlocks(5) ON EMPTY)
SELECT xmlelement(name a, vlocks(5))
SELECT extract(epoch FROM make_interval(secs => vlocks(5)))
SELECT overlay('abc' placing 'x' from vlocks(1))
SELECT ARRAY[vlocks(5)]
SELECT ROW(vlocks(5))
SELECT (ARRAY[1,2])[vlocks(1)]
SELECT interval '1 day' * vlocks(1)
SELECT GREATEST(vlocks(5), 1)
SELECT grouping(id) FROM src GROUP BY ROLLUP (id), vlocks(5)
SELECT sum(id) OVER (ROWS vlocks(1) PRECEDING) FROM src
SELECT DISTINCT ON (vlocks(5)) 1
SELECT coalesce(NULL, vlocks(5))
SELECT 1 ORDER BY vlocks(5)
UPDATE src SET id = vlocks(5)
DELETE FROM src WHERE vlocks(5) = 0
INSERT INTO src VALUES (1) RETURNING vlocks(5)
UPDATE src SET (id) = (SELECT vlocks(5))
