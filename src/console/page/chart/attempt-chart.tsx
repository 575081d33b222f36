import { useState } from 'preact/hooks';
import type { Sink } from '../api/types.js';
import { now } from '../app/clock.js';
import { useApi } from '../app/session.js';
import { useResource } from '../app/use-resource.js';
import { count, counted, duration } from '../text/format.js';
import { Loaded } from '../ui/states.js';
import { type SpanName, SPANS, type Summary, summarise } from './buckets.js';
import { Bars } from './bars.js';
import { loadAttempts, type RecentAttempts } from './load-attempts.js';

const POLL_MS = 30_000;
const SPAN_NAMES = Object.keys(SPANS) as SpanName[];

/** Results of the attempts of the last day or week. */
export function AttemptChart({ sink }: { sink: Sink }) {
  const api = useApi();
  const [spanName, setSpanName] = useState<SpanName>('day');
  const span = SPANS[spanName];
  const recent = useResource<RecentAttempts>(
    `chart ${sink.id} ${spanName}`,
    () => loadAttempts(api, sink.agentId, sink.id, now() - span.ms),
    POLL_MS,
  );
  return (
    <section class="card pad chart" aria-labelledby="chart-title">
      <div class="section-head">
        <h2 id="chart-title">Attempts</h2>
        <div class="segments" role="group" aria-label="Time span">
          {SPAN_NAMES.map((name) => (
            <button key={name} type="button" aria-pressed={name === spanName} onClick={() => setSpanName(name)}>
              {SPANS[name].name}
            </button>
          ))}
        </div>
      </div>
      <Loaded of={recent} lines={3}>
        {(attempts) => {
          const summary = summarise(attempts.items, span, now());
          return (
            <>
              <Figures summary={summary} />
              <Bars summary={summary} span={span} />
              {attempts.isCut && (
                <p class="small quiet">Counted are the newest {counted(attempts.items.length, 'attempt')}.</p>
              )}
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

function Figures({ summary: { succeeded, failed, medianMs, p90Ms } }: { summary: Summary }) {
  return (
    <dl class="figures">
      <div>
        <dt>
          <span class="key key-ok" aria-hidden="true" /> Succeeded
        </dt>
        <dd>{count(succeeded)}</dd>
      </div>
      <div>
        <dt>
          <span class="key key-bad" aria-hidden="true" /> Failed
        </dt>
        <dd>{count(failed)}</dd>
      </div>
      <div>
        <dt>
          <span class="key key-line" aria-hidden="true" /> Median time
        </dt>
        <dd>{medianMs === null ? '–' : duration(medianMs)}</dd>
      </div>
      <div>
        <dt>9 in 10 within</dt>
        <dd>{p90Ms === null ? '–' : duration(p90Ms)}</dd>
      </div>
    </dl>
  );
}
