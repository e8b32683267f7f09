package io.plenum.routing.sql;

/** Confined to its event loop: cuts a text into tokens. */
final class SqlScanner {}
