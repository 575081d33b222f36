import { useState } from 'preact/hooks';
import type { Recovery, Sink } from '../api/types.js';
import { to } from '../app/router.js';
import { count, counted } from '../text/format.js';
import { RECOVERY_REASON, RECOVERY_STATUS } from '../text/labels.js';
import { Badge } from '../ui/badge.js';
import { Button } from '../ui/button.js';
import { Notice } from '../ui/notice.js';
import { Ago, Time } from '../ui/time.js';
import { CancelRecoveryDialog } from './cancel-recovery-dialog.js';
import { RecoveryBar } from './recovery-bar.js';

interface ProgressParts {
  readonly sink: Sink;
  readonly recovery: Recovery;
  readonly onChanged: () => Promise<void>;
}

/** Progress or result of a recovery. */
export function RecoveryProgress({ sink, recovery, onChanged }: ProgressParts) {
  const [isCancelling, setCancelling] = useState(false);
  const { status, reason, paused, since, until, finishedAt, requestedBy, createdAt } = recovery;
  return (
    <section class="card pad stack recovery" aria-labelledby="recovery-title">
      <div class="section-head">
        <div class="screen-title">
          <h2 id="recovery-title">Recovery</h2>
          <span role="status">
            <Badge label={paused ? { text: 'Waiting', tone: 'warn' } : RECOVERY_STATUS[status]} />
          </span>
        </div>
        {status === 'RUNNING' && <Button onClick={() => setCancelling(true)}>Cancel the recovery</Button>}
      </div>
      {paused && (
        <Notice tone="warn">
          The data source is disabled, so the recovery waits.{' '}
          <a href={to.sink(sink.agentId, sink.id, 'test')}>Send a test</a>: when it passes, both go on.
        </Notice>
      )}
      {reason && <p>{RECOVERY_REASON[reason]}</p>}
      <RecoveryBar recovery={recovery} />
      <RecoveryFigures recovery={recovery} />
      <p class="small quiet">
        Of what failed from <Time at={since} /> until <Time at={until} />. Asked for by{' '}
        <span class="mono break">{requestedBy.id}</span> <Ago at={createdAt} />
        {finishedAt !== null && (
          <>
            , finished <Ago at={finishedAt} />
          </>
        )}
        .
      </p>
      {isCancelling && (
        <CancelRecoveryDialog
          sink={sink}
          recovery={recovery}
          onClose={() => setCancelling(false)}
          onCancelled={onChanged}
        />
      )}
    </section>
  );
}

function RecoveryFigures({ recovery }: { recovery: Recovery }) {
  const { total, redelivered, delivered, failed, cancelled, waiting } = recovery;
  const figures = [
    { text: 'Failed then', value: total, key: null },
    { text: 'Made due', value: redelivered, key: null },
    { text: 'Delivered', value: delivered, key: 'ok' },
    { text: 'Failed again', value: failed, key: 'bad' },
    ...(cancelled > 0 ? [{ text: 'Cancelled', value: cancelled, key: 'quiet' }] : []),
    { text: 'Waiting', value: waiting, key: 'busy' },
  ];
  return (
    <>
      <dl class="figures">
        {figures.map(({ text, value, key }) => (
          <div key={text}>
            <dt>
              {key !== null && <span class={`key key-${key}`} aria-hidden="true" />} {text}
            </dt>
            <dd>{count(value)}</dd>
          </div>
        ))}
      </dl>
      {recovery.status === 'DONE' && redelivered < total && (
        <p class="small quiet">
          {counted(total - redelivered, 'delivery was', 'deliveries were')} redelivered by hand meanwhile, or had gone.
        </p>
      )}
    </>
  );
}
