# The pooler alone on a Java runtime of its own: no compiler, no PostgreSQL, no demo (those need a checkout).
#
#   docker build --tag plenum .
#   docker run --volume ./plenum.ini:/etc/plenum/plenum.ini:ro --publish 6432:6432 plenum
#
# There is no HEALTHCHECK: /livez and /readyz on port 9127 are for whoever runs the container.

FROM maven:3-eclipse-temurin-25 AS build
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/root/.m2 \
    mvn --batch-mode --no-transfer-progress --quiet -Pquick -Dmaven.test.skip=true \
        --projects pooler --also-make package dependency:copy-dependencies -DincludeScope=runtime

# Only the native transports of this processor, as files beside the jars: Netty would unpack them to a temporary
# directory, and a container with a read-only file system has none.
WORKDIR /image
RUN set -eu; \
    mkdir lib native unpacked; \
    cp /source/pooler/target/pooler-*.jar /source/pooler/target/dependency/*.jar lib; \
    cd unpacked; \
    for jar in ../lib/netty-transport-native-*-linux-*.jar; do jar --extract --file "$jar" META-INF/native; rm "$jar"; done; \
    cp "META-INF/native/"*"_$(uname -m | sed s/aarch64/aarch_64/).so" ../native; \
    rm -r ../unpacked

# java.logging, java.xml: logback. java.naming: Netty's name servers. java.management, jdk.management: metrics of the JVM.
# jdk.jfr: Netty's allocator asks for it. jdk.unsupported: signals, and Netty's memory.
# What jdeps names besides, java.desktop and java.sql, serves parts of Micrometer that are not used here.
RUN jlink --add-modules java.base,java.logging,java.management,java.naming,java.net.http,java.xml,jdk.jfr,jdk.management,jdk.unsupported \
        --strip-java-debug-attributes --no-header-files --no-man-pages --compress zip-6 --output java
COPY --chmod=755 deploy/image/plenum bin/plenum

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin plenum
COPY --from=build /image /opt/plenum
RUN ln -s /opt/plenum/bin/plenum /usr/local/bin/plenum && plenum --version
# Here, for the JVM takes the cache only with the very jars, at their very place.
RUN --mount=type=bind,source=deploy/image/train,target=/train /train plenum /opt/plenum/plenum.aot
# By number: Kubernetes must see that it is not root.
USER 10001:10001
EXPOSE 6432 9127
ENTRYPOINT ["plenum"]
CMD ["run", "/etc/plenum/plenum.ini"]
