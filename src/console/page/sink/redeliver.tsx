import type { DeliveryWithAttempts, Sink } from '../api/types.js';
import { to } from '../app/router.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { Button } from '../ui/button.js';
import { Notice, ProblemNotice } from '../ui/notice.js';

interface RedeliverParts {
  readonly delivery: DeliveryWithAttempts;
  /** Null for a deleted sink, undefined while unknown. */
  readonly sink: Sink | null | undefined;
  readonly onDone: () => Promise<void>;
}

/** Redelivers a settled delivery, or explains why that is not possible. */
export function Redeliver({ delivery, sink, onDone }: RedeliverParts) {
  const api = useApi();
  const redelivering = useAction(async () => {
    await api.redeliver(delivery.id);
    await onDone();
  });
  if (delivery.settledAt === null) return null;
  const isRefused = sink === null || (sink !== undefined && sink.status !== 'ACTIVE');
  return (
    <>
      <Button
        kind="primary"
        isBusy={redelivering.isRunning}
        disabled={isRefused}
        describedBy="redeliver-says"
        onClick={() => void redelivering.run()}
      >
        Redeliver
      </Button>
      <div id="redeliver-says" class="actions-say">
        {sink === null && (
          <Notice tone="info">The data source of this delivery was deleted, so it cannot be redelivered.</Notice>
        )}
        {sink && <WhatToExpect sink={sink} />}
        <ProblemNotice problem={redelivering.problem} />
      </div>
    </>
  );
}

/** What prevents or follows a redelivery; nothing in the normal case. */
export function WhatToExpect({ sink }: { sink: Sink }) {
  if (sink.status === 'INACTIVE') {
    return (
      <Notice tone="info">
        {sink.name} was paused by hand. <a href={to.sink(sink.agentId, sink.id)}>Resume it</a> before anything is
        redelivered.
      </Notice>
    );
  }
  if (sink.status === 'DISABLED') {
    return (
      <Notice tone="warn">
        {sink.name} is disabled since its deliveries failed in a row, or its endpoint is gone.{' '}
        <a href={to.sink(sink.agentId, sink.id, 'test')}>Send a test</a>: when it passes, you can redeliver.
      </Notice>
    );
  }
  if (sink.pausedUntil === null) return null;
  return (
    <Notice tone="info">
      The receiver of {sink.name} was down. What was tried before is sent all the same when it is redelivered, and finds
      out whether it is up again; <a href={to.sink(sink.agentId, sink.id, 'test')}>a test</a> does so without your data.
    </Notice>
  );
}
