import { useState } from 'preact/hooks';
import { now } from '../app/clock.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { useResource } from '../app/use-resource.js';
import type { RecoveryPreview, Sink } from '../api/types.js';
import { counted } from '../text/format.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { Notice } from '../ui/notice.js';
import { Skeleton } from '../ui/states.js';
import { Time } from '../ui/time.js';
import { RecoverProblem } from './recover-problem.js';
import { RECENT, type RecoverSpan } from './recover-span.js';
import { RecoverSpanFields } from './recover-span-fields.js';
import { WhatToExpect } from '../sink/redeliver.js';

/** Includes failures that occur meanwhile. */
const RECOUNT_MS = 10_000;

interface RecoverParts {
  readonly sink: Sink;
  readonly onClose: () => void;
  readonly onStarted: () => Promise<void>;
}

/** Redelivers everything that failed in a period, after showing the count. */
export function RecoverDialog({ sink, onClose, onStarted }: RecoverParts) {
  const api = useApi();
  const [span, setSpan] = useState<RecoverSpan>(() => ({ since: new Date(now() - RECENT[1].ms), until: null }));
  const key = `recover ${sink.id} ${span.since.toISOString()} ${span.until?.toISOString() ?? ''}`;
  const preview = useResource<RecoveryPreview>(
    key,
    () => api.previewRecovery(sink.agentId, sink.id, span.since, span.until),
    RECOUNT_MS,
  );
  const starting = useAction(async ({ since, until }: RecoveryPreview) => {
    // The preview's end: later failures are excluded.
    await api.recover(sink.agentId, sink.id, { since, until });
    await onStarted();
  });
  const choose = (chosen: RecoverSpan): void => {
    starting.clear();
    setSpan(chosen);
  };
  const survey = preview.problem ? null : preview.data;
  const problem = starting.problem ?? preview.problem;
  const isPossible = sink.status === 'ACTIVE' && survey !== null && canStart(survey);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (isPossible) void starting.run(survey);
  };
  return (
    <Dialog title="Recover what failed" onClose={onClose}>
      <form class="stack" onSubmit={submit} noValidate>
        <p>
          After an outage: each delivery that failed is tried once more, with the same bytes and the same id, a few at a
          time and the oldest first. What was delivered is not sent again.
        </p>
        <RecoverSpanFields span={span} problem={problem} onChange={choose} />
        <RecoverProblem problem={problem} span={span} onChoose={choose} onShow={onStarted} />
        {!problem && (survey ? <Count preview={survey} onShow={onStarted} /> : <Skeleton lines={1} />)}
        <WhatToExpect sink={sink} />
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" isBusy={starting.isRunning} disabled={!isPossible}>
            {survey && survey.deliveries > 0
              ? `Redeliver ${counted(survey.deliveries, 'delivery', 'deliveries')}`
              : 'Redeliver'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function canStart({ deliveries, runningRecoveryId }: RecoveryPreview): boolean {
  return deliveries > 0 && runningRecoveryId === null;
}

function Count({ preview, onShow }: { preview: RecoveryPreview; onShow: () => Promise<void> }) {
  const { deliveries, since, until, runningRecoveryId } = preview;
  if (runningRecoveryId !== null) {
    return (
      <Notice tone="warn" role="status" title="A recovery is running">
        There is one at a time. Wait until it is done, or cancel it.{' '}
        <Button onClick={() => void onShow()}>Show it</Button>
      </Notice>
    );
  }
  return (
    <div>
      <p role="status">
        <strong>
          {deliveries === 0 ? 'Nothing' : counted(deliveries, 'delivery', 'deliveries')} failed in this time
        </strong>
        {deliveries === 0 ? ', so there is nothing to recover.' : '.'}
      </p>
      <p class="small quiet">
        From <Time at={since} /> until <Time at={until} />
      </p>
    </div>
  );
}
