package io.plenum.pooler.link;

import io.plenum.pooler.server.PreparedStatement;

/** A client's name for a statement. Immutable; the bytes of the name are not to be changed. */
public record NamedStatement(byte[] name, PreparedStatement statement) {}
