import type { Timings } from '../api/types.js';
import { duration } from '../text/format.js';

const PHASES = [
  { key: 'dnsMs', name: 'Name' },
  { key: 'connectMs', name: 'Connect' },
  { key: 'tlsMs', name: 'TLS' },
  { key: 'uploadMs', name: 'Upload' },
  { key: 'waitMs', name: 'Wait for answer' },
] as const;

const WIDTH = 1_000;

interface Part {
  readonly key: string;
  readonly name: string;
  readonly ms: number;
  readonly from: number;
  readonly width: number;
}

/** Where the time of an attempt went. */
export function PhaseBar({ timings }: { timings: Timings }) {
  const parts = partsOf(timings);
  return (
    <div class="phases">
      <svg
        class="phase-bar"
        viewBox={`0 0 ${WIDTH} 10`}
        preserveAspectRatio="none"
        aria-hidden="true"
        focusable="false"
      >
        {parts.map(({ key, from, width }) => (
          <rect key={key} class={`phase phase-${key}`} x={from} y={0} width={width} height={10} />
        ))}
      </svg>
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

function partsOf(timings: Timings): readonly Part[] {
  const known = PHASES.flatMap(({ key, name }) => {
    const ms = timings[key];
    return ms === null ? [] : [{ key, name, ms }];
  });
  // A phase of 0 ms is still seen.
  const total = known.reduce((sum, { ms }) => sum + Math.max(ms, 0.5), 0);
  let from = 0;
  return known.map((phase) => {
    const width = (Math.max(phase.ms, 0.5) / total) * WIDTH;
    const part = { ...phase, from, width };
    from += width;
    return part;
  });
}
