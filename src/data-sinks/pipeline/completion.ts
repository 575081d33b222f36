import type { DataSink } from '../core/data-sink.js';
import { invalidJobCompleted, type JobCompleted } from '../core/job-completed.js';
import { acceptTraceContext, type TraceContext } from '../core/trace-context.js';
import type { NewDelivery, NumberedCompletion } from '../persistence/completion-recording.js';

/** A completion as it is to be recorded. */
export type Completion = NumberedCompletion & { readonly missed: boolean };

/** Who is to have a completion. */
export interface WantedCompletion {
  readonly completion: Completion;
  readonly sinks: readonly DataSink[];
  readonly retriesAllowed: number;
}

/** What is written of a completion, all at once or not at all. */
export interface Recording {
  readonly completion: Completion;
  readonly deliveries: readonly NewDelivery[];
}

/**
 * @param activeTrace none where whoever asks is not who completed the job
 * @throws TypeError when the event is not a completion
 */
export function toCompletion(
  event: JobCompleted,
  missed: boolean,
  activeTrace: TraceContext | null = null,
): Completion {
  const problem = invalidJobCompleted(event);
  if (problem !== null) throw new TypeError(`JobCompleted: ${problem}`);
  const traceContext = event.traceContext === undefined ? activeTrace : acceptTraceContext(event.traceContext);
  return { ...event, run: event.run ?? 1, missed, traceContext: traceContext ?? undefined };
}

export function wants(sink: DataSink, completion: Completion): boolean {
  return (
    sink.agentId === completion.agentId &&
    sink.workspaceId === completion.workspaceId &&
    (!completion.missed || sink.createdAt <= completion.completedAt)
  );
}
