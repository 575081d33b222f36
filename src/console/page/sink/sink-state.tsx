import type { Sink } from '../api/types.js';
import { to } from '../app/router.js';
import { type Label, SINK_STATUS } from '../text/labels.js';
import { Countdown } from '../ui/countdown.js';
import { Notice } from '../ui/notice.js';

/** A data source's state at a glance. */
export function sinkLabel({ status, pausedUntil }: Sink): Label {
  return status === 'ACTIVE' && pausedUntil !== null
    ? { text: 'Paused: its receiver is down', tone: 'warn' }
    : SINK_STATUS[status];
}

function whyDisabled({ disabledReason }: Sink): string {
  return disabledReason === 'RECEIVER_GONE'
    ? 'the endpoint answered 410, it is gone'
    : 'deliveries failed in a row for an hour or more';
}

/** Explains a state in which little or nothing is sent, and how it ends; nothing in the normal case. */
export function SinkState({ sink }: { sink: Sink }) {
  const test = to.sink(sink.agentId, sink.id, 'test');
  if (sink.status === 'DISABLED') {
    return (
      <Notice tone="bad" title={`Nothing is sent: ${whyDisabled(sink)}`}>
        What waits is kept. Mend the endpoint, then <a href={test}>send a test</a>: when it passes, the data source is
        active again and what waits is sent.
      </Notice>
    );
  }
  if (sink.status !== 'ACTIVE' || sink.pausedUntil === null) return null;
  return (
    <Notice tone="warn" title="Paused: its receiver is down">
      Deliveries that were not tried yet wait, with all their retries.{' '}
      <Countdown until={sink.pausedUntil} over="They go one at a time until one is answered.">
        {(left) => `In ${left} they go on, one at a time until one is answered.`}
      </Countdown>{' '}
      Is it up again? <a href={test}>Send a test</a>: when it passes, the pause ends at once.
    </Notice>
  );
}
