CREATE OR REPLACE VIEW totals AS SELECT id, name, total(id) AS cents FROM customer;
