package io.plenum.pooler.admin;

import io.plenum.pooler.net.Loop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/** Questions to loops, answered later: nobody waits. */
final class OnLoop {
    private OnLoop() {}

    /** Asks on the loop; a loop that has ended answers with a failure. */
    static <T> CompletableFuture<T> call(Loop loop, Supplier<T> question) {
        var answer = new CompletableFuture<T>();
        try {
            loop.execute(() -> {
                try {
                    answer.complete(question.get());
                } catch (RuntimeException failure) {
                    answer.completeExceptionally(failure);
                }
            });
        } catch (RejectedExecutionException ended) {
            answer.completeExceptionally(ended);
        }
        return answer;
    }

    /** All answers in the order of the questions. */
    static <T> CompletableFuture<List<T>> all(List<CompletableFuture<T>> answers) {
        CompletableFuture<List<T>> all = CompletableFuture.completedFuture(new ArrayList<>());
        for (CompletableFuture<T> answer : answers) {
            all = all.thenCombine(answer, (list, one) -> {
                list.add(one);
                return list;
            });
        }
        return all;
    }
}
