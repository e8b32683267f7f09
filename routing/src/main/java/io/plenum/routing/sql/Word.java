package io.plenum.routing.sql;

/** Words of SQL. */
final class Word {}
