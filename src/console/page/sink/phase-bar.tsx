import type { Timings } from '../api/types.js';
import { duration } from '../text/format.js';
import { StackedBar } from '../ui/stacked-bar.js';

const PHASES = [
  { key: 'dnsMs', name: 'Name' },
  { key: 'connectMs', name: 'Connect' },
  { key: 'tlsMs', name: 'TLS' },
  { key: 'uploadMs', name: 'Upload' },
  { key: 'waitMs', name: 'Wait for answer' },
] as const;

/** Duration of an attempt by phase. */
export function PhaseBar({ timings }: { timings: Timings }) {
  const parts = partsOf(timings);
  const total = parts.reduce((sum, { seenMs }) => sum + seenMs, 0);
  return (
    <div class="phases">
      <StackedBar
        parts={parts.map(({ key, seenMs }) => ({ fill: `phase phase-${key}`, value: seenMs }))}
        total={total}
      />
      <ul class="phase-list">
        {parts.map(({ key, name, ms }) => (
          <li key={key}>
            <span class={`phase-mark phase-${key}`} aria-hidden="true" />
            {name} <span class="quiet">{duration(ms)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function partsOf(timings: Timings) {
  return PHASES.flatMap(({ key, name }) => {
    const ms = timings[key];
    // A phase of 0 ms is still visible.
    return ms === null ? [] : [{ key, name, ms, seenMs: Math.max(ms, 0.5) }];
  });
}
