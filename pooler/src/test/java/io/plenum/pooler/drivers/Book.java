package io.plenum.pooler.drivers;

import jakarta.persistence.Entity;
import jakarta.persistence.FetchType;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.ManyToOne;
import org.jspecify.annotations.Nullable;

/** The other side of the list, with an identity column, for which Hibernate reads the key back from each insert. */
@Entity
class Book {
    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    @Nullable
    Long id;

    String title = "";

    @ManyToOne(fetch = FetchType.LAZY)
    @Nullable
    Author author;

    Book() {}

    Book(Author author, String title) {
        this.author = author;
        this.title = title;
    }
}
