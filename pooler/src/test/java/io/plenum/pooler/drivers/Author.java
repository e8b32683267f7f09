package io.plenum.pooler.drivers;

import jakarta.persistence.CascadeType;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Lob;
import jakarta.persistence.OneToMany;
import jakarta.persistence.OrderBy;
import jakarta.persistence.SequenceGenerator;
import jakarta.persistence.Version;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** An entity with what the applications' have: a sequence in portions, a version, a lazy list, values of many types. */
@Entity
class Author {
    enum Genre {
        NOVEL,
        POEM
    }

    @Id
    @GeneratedValue(strategy = GenerationType.SEQUENCE, generator = "author_ids")
    @SequenceGenerator(name = "author_ids", sequenceName = "author_ids", allocationSize = 10)
    @Nullable
    Long id;

    @Version
    int version;

    @Column(nullable = false, unique = true)
    String name = "";

    @Enumerated(EnumType.STRING)
    Genre genre = Genre.NOVEL;

    Instant born = Instant.EPOCH;
    UUID token = new UUID(1, 2);
    int visits;
    String[] languages = {};

    @Lob
    @Nullable
    String biography;

    byte @Nullable [] picture;

    @OneToMany(mappedBy = "author", cascade = CascadeType.ALL, orphanRemoval = true)
    @OrderBy("title")
    List<Book> books = new ArrayList<>();

    Author() {}

    Author(String name) {
        this.name = name;
    }

    Book write(String title) {
        var book = new Book(this, title);
        books.add(book);
        return book;
    }
}
