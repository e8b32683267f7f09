package io.plenum.pooler;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeProjection;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.plenum.pooler.config.ConfigLoader;
import io.plenum.pooler.config.LoadResult;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.type.LogicalType;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** What is under {@code deploy/} would be taken by a cluster, hangs together, and starts our own reader of settings. */
class ManifestsTest {
    private static final Path DEPLOY = Path.of("..", "deploy");
    private static final Map<String, Class<? extends HasMetadata>> KINDS = Stream.of(
                    ConfigMap.class,
                    Secret.class,
                    Service.class,
                    Deployment.class,
                    StatefulSet.class,
                    PodDisruptionBudget.class)
            .collect(Collectors.toUnmodifiableMap(HasMetadata::getKind, type -> type));

    /** As strict as the server: a key twice, or a number where a text belongs, is refused. */
    private static final ObjectMapper YAML = YAMLMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .withCoercionConfig(
                    LogicalType.Textual,
                    text -> text.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                            .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                            .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
            .build();

    @TempDir
    Path folder = Path.of("");

    static List<Path> manifests() throws IOException {
        try (Stream<Path> files = Files.list(DEPLOY.resolve("kubernetes"))) {
            return files.sorted().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("manifests")
    void everyFieldIsOneThatKubernetesKnows(Path file) throws IOException {
        List<HasMetadata> objects = objects(file);

        assertThat(objects).isNotEmpty();
        for (HasMetadata object : objects) {
            assertThat(unknownFields(object, name(object))).isEmpty();
        }
    }

    @Test
    void misspeltFieldIsFound() {
        String text = """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: wrong}
            spec:
              template:
                spec:
                  containers:
                    - name: plenum
                      readinesProbe: {}
            """;

        assertThat(unknownFields(object(YAML.readTree(text)), "wrong"))
                .containsExactly("wrong.spec.template.spec.containers[0].readinesProbe");
    }

    @ParameterizedTest
    @MethodSource("manifests")
    void everyReferenceIsMetInTheSameFile(Path file) throws IOException {
        List<HasMetadata> objects = objects(file);
        List<String> names = objects.stream().map(ManifestsTest::name).toList();

        for (HasMetadata object : objects) {
            PodTemplateSpec pod = pod(object);
            if (pod != null) {
                assertThat(references(pod.getSpec())).isNotEmpty().isSubsetOf(names);
                assertThat(mounts(pod.getSpec())).isSubsetOf(volumes(object, pod.getSpec()));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("manifests")
    void everySelectorSelectsAPod(Path file) throws IOException {
        List<HasMetadata> objects = objects(file);
        List<Map<String, String>> labels = objects.stream()
                .map(ManifestsTest::pod)
                .filter(Objects::nonNull)
                .map(pod -> pod.getMetadata().getLabels())
                .toList();

        for (HasMetadata object : objects) {
            Map<String, String> selector = selector(object);
            if (selector != null) {
                assertThat(labels)
                        .as(name(object))
                        .anyMatch(pod -> pod.entrySet().containsAll(selector.entrySet()));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("manifests")
    void everyContainerIsConfined(Path file) throws IOException {
        for (HasMetadata object : objects(file)) {
            PodTemplateSpec pod = pod(object);
            if (pod == null) {
                continue;
            }
            assertThat(pod.getSpec().getSecurityContext().getRunAsNonRoot()).isTrue();
            assertThat(pod.getSpec().getSecurityContext().getSeccompProfile().getType())
                    .isEqualTo("RuntimeDefault");
            for (Container container : containers(pod.getSpec())) {
                assertThat(container.getSecurityContext().getReadOnlyRootFilesystem())
                        .isTrue();
                assertThat(container.getSecurityContext().getAllowPrivilegeEscalation())
                        .isFalse();
                assertThat(container.getSecurityContext().getCapabilities().getDrop())
                        .containsExactly("ALL");
                assertThat(container.getResources().getLimits()).containsKey("memory");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("manifests")
    void everyProbeOfPlenumAsksAPortThatIsDeclared(Path file) throws IOException {
        for (HasMetadata object : objects(file)) {
            PodTemplateSpec pod = pod(object);
            for (Container container : pod == null ? List.<Container>of() : containers(pod.getSpec())) {
                if (container.getName().equals("plenum")) {
                    assertThat(List.of(
                                    probed(container, container.getStartupProbe()),
                                    probed(container, container.getLivenessProbe()),
                                    probed(container, container.getReadinessProbe())))
                            .containsExactly("9127/livez", "9127/livez", "9127/readyz");
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"plenum", "sidecar"})
    void configMapAndSecretTogetherAreAGoodConfiguration(String file) throws IOException {
        for (HasMetadata object : objects(DEPLOY.resolve("kubernetes", file + ".yaml"))) {
            if (object instanceof ConfigMap map) {
                write(map.getData());
            } else if (object instanceof Secret secret) {
                write(secret.getStringData());
            }
        }

        assertGood(folder.resolve("plenum.ini"));
    }

    @Test
    void composeFileHasAGoodConfiguration() {
        assertGood(DEPLOY.resolve("compose", "plenum.ini"));
    }

    @Test
    void scriptsInTheConfigMapAreThoseOfTheComposeFile() throws IOException {
        ConfigMap scripts = objects(DEPLOY.resolve("kubernetes", "postgres.yaml")).stream()
                .filter(ConfigMap.class::isInstance)
                .map(ConfigMap.class::cast)
                .findFirst()
                .orElseThrow();

        assertThat(scripts.getData())
                .containsOnly(
                        Map.entry("roles.sh", Files.readString(DEPLOY.resolve("postgres", "roles.sh"))),
                        Map.entry("standby.sh", Files.readString(DEPLOY.resolve("postgres", "standby.sh"))));
    }

    /** Neither a fault nor a warning, and the users are there. */
    private static void assertGood(Path ini) {
        LoadResult result = ConfigLoader.load(ini, Map.of());

        assertThat(result).isInstanceOfSatisfying(LoadResult.Loaded.class, loaded -> {
            assertThat(loaded.config().warnings()).isEmpty();
            assertThat(loaded.config().databases()).hasSize(1);
            assertThat(loaded.config().userList().size()).isEqualTo(2);
        });
    }

    private void write(Map<String, String> files) throws IOException {
        for (Map.Entry<String, String> file : files.entrySet()) {
            Files.writeString(folder.resolve(file.getKey()), file.getValue());
        }
    }

    private static List<HasMetadata> objects(Path file) throws IOException {
        try (var documents = YAML.readerFor(JsonNode.class).<JsonNode>readValues(file)) {
            return documents.readAll().stream().map(ManifestsTest::object).toList();
        }
    }

    private static HasMetadata object(JsonNode document) {
        Class<? extends HasMetadata> type = KINDS.get(document.path("kind").asString());
        assertThat(type).as("a kind that this test knows").isNotNull();
        assertThat(document.path("apiVersion").asString()).isEqualTo(HasMetadata.getApiVersion(type));
        return YAML.treeToValue(document, type);
    }

    private static String name(HasMetadata object) {
        return object.getKind() + " " + object.getMetadata().getName();
    }

    // --- what hangs together ---------------------------------------------------------------------------------------

    private static @Nullable PodTemplateSpec pod(HasMetadata object) {
        return switch (object) {
            case Deployment deployment -> deployment.getSpec().getTemplate();
            case StatefulSet set -> set.getSpec().getTemplate();
            default -> null;
        };
    }

    private static @Nullable Map<String, String> selector(HasMetadata object) {
        return switch (object) {
            case Deployment deployment -> deployment.getSpec().getSelector().getMatchLabels();
            case StatefulSet set -> set.getSpec().getSelector().getMatchLabels();
            case Service service -> service.getSpec().getSelector();
            case PodDisruptionBudget budget -> budget.getSpec().getSelector().getMatchLabels();
            default -> null;
        };
    }

    private static List<Container> containers(PodSpec pod) {
        return Stream.concat(pod.getInitContainers().stream(), pod.getContainers().stream())
                .toList();
    }

    private static List<String> mounts(PodSpec pod) {
        return containers(pod).stream()
                .flatMap(container -> container.getVolumeMounts().stream())
                .map(VolumeMount::getName)
                .toList();
    }

    private static List<String> volumes(HasMetadata owner, PodSpec pod) {
        Stream<String> claims = owner instanceof StatefulSet set
                ? set.getSpec().getVolumeClaimTemplates().stream()
                        .map(claim -> claim.getMetadata().getName())
                : Stream.of();
        return Stream.concat(pod.getVolumes().stream().map(Volume::getName), claims)
                .toList();
    }

    /** The ConfigMaps and Secrets that a Pod needs. */
    private static List<String> references(PodSpec pod) {
        List<String> found = new ArrayList<>();
        for (Container container : containers(pod)) {
            container.getEnv().stream()
                    .filter(variable -> variable.getValueFrom() != null)
                    .forEach(variable -> found.add("Secret "
                            + variable.getValueFrom().getSecretKeyRef().getName()));
        }
        for (Volume volume : pod.getVolumes()) {
            if (volume.getConfigMap() != null) {
                found.add("ConfigMap " + volume.getConfigMap().getName());
            }
            if (volume.getProjected() != null) {
                for (VolumeProjection source : volume.getProjected().getSources()) {
                    found.add(
                            source.getConfigMap() == null
                                    ? "Secret " + source.getSecret().getName()
                                    : "ConfigMap " + source.getConfigMap().getName());
                }
            }
        }
        return found;
    }

    private static String probed(Container container, Probe probe) {
        String port = probe.getHttpGet().getPort().getStrVal();
        return container.getPorts().stream()
                .filter(declared -> declared.getName().equals(port))
                .map(declared ->
                        declared.getContainerPort() + probe.getHttpGet().getPath())
                .findFirst()
                .orElse("no port " + port);
    }

    // --- what Kubernetes does not know -----------------------------------------------------------------------------

    /** The models keep what they do not know in a map of each object; a server would refuse it. */
    private static List<String> unknownFields(Object object, String path) {
        List<String> found = new ArrayList<>();
        collectUnknownFields(object, path, found);
        return found;
    }

    private static void collectUnknownFields(@Nullable Object object, String path, List<String> found) {
        switch (object) {
            case Collection<?> items -> {
                int i = 0;
                for (Object item : items) {
                    collectUnknownFields(item, path + "[" + i++ + "]", found);
                }
            }
            case Map<?, ?> entries ->
                entries.forEach((key, value) -> collectUnknownFields(value, path + "." + key, found));
            case null -> {}
            default -> {
                for (Class<?> type = object.getClass(); isModel(type); type = type.getSuperclass()) {
                    for (Field field : type.getDeclaredFields()) {
                        if (!Modifier.isStatic(field.getModifiers())) {
                            collectUnknownFields(object, field, path, found);
                        }
                    }
                }
            }
        }
    }

    private static void collectUnknownFields(Object object, Field field, String path, List<String> found) {
        field.setAccessible(true);
        try {
            Object value = field.get(object);
            if (field.getName().equals("additionalProperties")) {
                ((Map<?, ?>) value).keySet().forEach(name -> found.add(path + "." + name));
            } else {
                collectUnknownFields(value, path + "." + field.getName(), found);
            }
        } catch (IllegalAccessException impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static boolean isModel(Class<?> type) {
        return type.getName().startsWith("io.fabric8.kubernetes.") && !type.isEnum();
    }
}
