COPY customer (id, name) FROM STDIN;
1	one
2	two; with a semicolon
3	three
\.

INSERT INTO purchase (customer, cents) SELECT n % 3 + 1, n FROM generate_series(1, 500) n;
DO $$ BEGIN RAISE NOTICE 'migrated'; END $$;
