package io.plenum.pooler.discovery;

import io.netty.util.NetUtil;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Names that mean what the test says, answered at once. */
final class ScriptedNames implements Names {
    private final Map<String, Answer> answers = new HashMap<>();
    private final Map<String, Targets> targets = new HashMap<>();
    private final Deque<String> asked = new ArrayDeque<>();

    void say(String name, Answer answer) {
        answers.put(name, answer);
    }

    static Found found(Duration ttl, String... literals) {
        return new Found(
                Arrays.stream(literals)
                        .map(NetUtil::createInetAddressFromIpAddressString)
                        .toList(),
                ttl,
                true);
    }

    /** Names asked since the last call. */
    int takeAsked() {
        int count = asked.size();
        asked.clear();
        return count;
    }

    @Override
    public void lookUp(String name, Consumer<Answer> done) {
        asked.add(name);
        done.accept(Objects.requireNonNullElse(answers.get(name), new NotFound("no such name")));
    }

    void sayTargets(String name, @Nullable Targets answer) {
        if (answer == null) {
            targets.remove(name);
        } else {
            targets.put(name, answer);
        }
    }

    @Override
    public void lookUpTargets(String name, Consumer<@Nullable Targets> done) {
        asked.add(name);
        done.accept(targets.get(name));
    }

    @Override
    public void close() {}
}
