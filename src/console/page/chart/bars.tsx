import { count, duration, localTime } from '../text/format.js';
import type { Bucket, Span, Summary } from './buckets.js';

const WIDTH = 960;
const HEIGHT = 120;
const GAP = 4;

/**
 * One bar per hour (or six hours): successes below, failures on top; below them the median duration, on its own scale.
 */
export function Bars({ summary, span }: { summary: Summary; span: Span }) {
  const { buckets, succeeded, failed } = summary;
  const most = Math.max(1, ...buckets.map((bucket) => bucket.succeeded + bucket.failed));
  const step = WIDTH / buckets.length;
  const said = `${count(succeeded)} attempts succeeded and ${count(failed)} failed in the last ${span.name}.`;
  return (
    <figure class="bars">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={said}>
        <line class="axis" x1={0} x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
        {buckets.map((bucket, index) => (
          <Bar key={bucket.fromMs} bucket={bucket} x={index * step + GAP / 2} width={step - GAP} most={most} />
        ))}
      </svg>
      <Times buckets={buckets} step={step} />
      <figcaption class="bars-scale small quiet" aria-hidden="true">
        <span>{span.name} ago</span>
        <span>now</span>
      </figcaption>
    </figure>
  );
}

interface BarParts {
  readonly bucket: Bucket;
  readonly x: number;
  readonly width: number;
  readonly most: number;
}

function Bar({ bucket: { fromMs, succeeded, failed, medianMs }, x, width, most }: BarParts) {
  const scale = (HEIGHT - 12) / most;
  const good = succeeded * scale;
  const bad = failed * scale;
  const median = medianMs === null ? '' : `, median ${duration(medianMs)}`;
  return (
    <g>
      <title>{`from ${localTime(new Date(fromMs))}: ${count(succeeded)} succeeded, ${count(failed)} failed${median}`}</title>
      <rect class="bar-ground" x={x} y={0} width={width} height={HEIGHT} />
      <rect class="bar-ok" x={x} y={HEIGHT - good} width={width} height={good} />
      <rect class="bar-bad" x={x} y={HEIGHT - good - bad} width={width} height={bad} />
    </g>
  );
}

const TIMES_HEIGHT = 40;

function Times({ buckets, step }: { buckets: readonly Bucket[]; step: number }) {
  const longest = Math.max(1, ...buckets.map(({ medianMs }) => medianMs ?? 0));
  const points = buckets.flatMap(({ medianMs }, index) =>
    medianMs === null ? [] : [{ x: (index + 0.5) * step, y: TIMES_HEIGHT - (medianMs / longest) * (TIMES_HEIGHT - 4) }],
  );
  const [first] = points;
  const last = points.at(-1);
  // A single point has no line; its value is in the bar's title.
  if (!first || !last || points.length < 2) return null;
  const line = points.map(({ x, y }) => `${x},${y}`).join(' ');
  return (
    <svg class="times" viewBox={`0 0 ${WIDTH} ${TIMES_HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <polygon class="median-area" points={`${first.x},${TIMES_HEIGHT} ${line} ${last.x},${TIMES_HEIGHT}`} />
      <polyline class="median" points={line} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
