import type { ClaimedDelivery } from '../domain/claimed-delivery.js';
import type { SinkOfAgent } from '../sinks/data-sink.repository.js';
import type { Recording } from './completion.js';

/**
 * Whether nothing is known that holds a sink's deliveries back: its state, its circuit, a failure that would open it, or a
 * pace of its own.
 */
export function isFree(sink: SinkOfAgent | undefined): boolean {
  return (
    sink?.status === 'ACTIVE' &&
    sink.pausedUntil === null &&
    sink.failuresInRow === 0 &&
    (sink.config.maxPushesPerSecond ?? null) === null
  );
}

/** The deliveries of a completion that are leased to this process, as a claim would bring them. */
export function toClaimed(
  { completion, sinks, deliveries }: Recording,
  leased: ReadonlySet<string>,
  tokens: ReadonlyMap<string, string>,
): ClaimedDelivery[] {
  return deliveries.flatMap((delivery): ClaimedDelivery[] => {
    const leaseToken = tokens.get(delivery.id);
    const sink = sinks.find(({ id }) => id === delivery.dataSourceId);
    if (!leased.has(delivery.id) || leaseToken === undefined || !sink) return [];
    const { id, workspaceId, agentId, dataSourceId, jobId, run, recipe, retriesAllowed } = delivery;
    return [
      {
        ...{ id, workspaceId, agentId, dataSourceId, jobId, run, recipe, retriesAllowed, leaseToken },
        ...{ trigger: 'AUTO', attemptCount: 0, retriesSpent: 0, ownFailures: 0, lastErrorCode: null },
        ...{ completedAt: completion.completedAt, stats: completion.stats, payload: null, handedOver: true },
        sink: {
          type: sink.type,
          config: sink.config,
          configVersion: sink.configVersion,
          status: sink.status,
          deletedAt: null,
          secretId: sink.secret.id,
          previousSecret: sink.previousSecret && {
            secretId: sink.previousSecret.id,
            expiresAt: sink.previousSecret.expiresAt,
          },
          failuresInRow: 0,
        },
        traceContext: completion.traceContext ?? null,
      },
    ];
  });
}
