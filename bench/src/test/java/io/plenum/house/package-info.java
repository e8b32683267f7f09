/** The rules of the house, run over all modules: how source is laid out, and who may depend on what. */
@NullMarked
package io.plenum.house;

import org.jspecify.annotations.NullMarked;
