import { readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';

/** What each figure must reach; `atLeast` or `atMost`. */
export const TARGETS = {
  idleP50VsBullmq: ['a job every 100 ms, completion to arrival, p50, against plain BullMQ', 'atMost', 1],
  idleP99VsBullmq: ['the same, p99', 'atMost', 1.3],
  cpuAt20VsBullmq: ['CPU per delivery of all processes at 20/s, against plain BullMQ', 'atMost', 0.85],
  cpuAt100VsBullmq: ['the same at 100/s', 'atMost', 0.85],
  oneEndpointHttpVsBullmq: ['one endpoint, behind HTTP, deliveries/s against plain BullMQ', 'atLeast', 1.5],
  oneEndpointVsBullmq: ['one endpoint, in the process', 'atLeast', 2.5],
  fanOutHttpVsBullmq: ['one tenant with 20 endpoints, behind HTTP', 'atLeast', 2.8],
  fanOutVsBullmq: ['one tenant with 20 endpoints, in the process', 'atLeast', 2.5],
  tenantsVsBullmq: ['100 tenants, behind HTTP', 'atLeast', 2.5],
  commitsIdle: ["durable commits per delivery, idle, with the host's", 'atMost', 3.05],
  statementsIdle: ["statements per delivery, idle, beside the host's own", 'atMost', 4],
  cpuFourWorkersVsOne: ['CPU per delivery of four workers at 400/s, against one', 'atMost', 1.1],
  settledRowsPlanRatio: ['dearest hot statement beside settled rows, against fresh tables', 'atMost', 1.5],
  recoverAfterKillS: ['all has arrived after a SIGKILL in mid-run (s)', 'atMost', 15],
  hostLoopDelayP99Ms: ["the host's event loop at 1,000 deliveries/s, p99 above idle (ms)", 'atMost', 10],
  fanOutVsClient: ['one job to 100 sinks, against the bare signing client', 'atLeast', 0.4],
  redisPerDelivery: ['Redis commands per delivery under load', 'atMost', 0.5],
  sqlPerDelivery: ['SQL statements per delivery under load', 'atMost', 0.5],
  idleFirstByteP50Ms: ['completion to first byte, idle, p50 (ms)', 'atMost', 10],
  idleFirstByteP99Ms: ['completion to first byte, idle, p99 (ms)', 'atMost', 40],
  millionRowsVsReadyFile: ['1,000,000 rows built and sent, against hash-and-send of a ready file', 'atLeast', 0.4],
  millionRowsExtraRssMb: ['1,000,000 rows to three sinks: memory above idle (MB)', 'atMost', 100],
  isolationP99Ratio: ['p99 of healthy sinks beside a dead one, against without', 'atMost', 1.5],
  claimCostRatio: ['claim of 64 beside 1,000,000 waiting, against beside 1,000', 'atMost', 1.5],
  twoWorkersVsOne: ['two worker processes, against one', null, null],
  fourWorkersVsOne: ['four worker processes, against one', null, null],
  embeddedPerSecond: ['embedded default, deliveries/s (an absolute: this machine alone)', null, null],
};

/** Others that use more of the machine than this make its absolute numbers worthless; ratios taken in turn less so. */
const QUIET = 0.05;

/** What a part was measured under. */
export function conditionsOf(stage) {
  const others = Math.max(0, ...stage.foreign);
  return {
    flushMs: Number(stage.flushMs().toFixed(2)),
    othersShareOfMachine: Number(others.toFixed(2)),
    ...(others > QUIET && { note: 'not a quiet machine: only the ratios mean anything' }),
  };
}

function verdict(name, value) {
  const [, kind, bound] = TARGETS[name];
  if (kind === null) return '';
  const reached = kind === 'atLeast' ? value >= bound : value <= bound;
  return `${kind === 'atLeast' ? '≥' : '≤'} ${bound}: ${reached ? 'reached' : 'NOT REACHED'}`;
}

export function printTable(figures, details) {
  for (const [name, value] of Object.entries(figures)) {
    console.log(`  ${value.toFixed(2).padStart(9)}  ${TARGETS[name][0]}  ${verdict(name, value)}`);
  }
  for (const [name, value] of Object.entries(details)) console.log(`             ${name}: ${JSON.stringify(value)}`);
}

/** `docs/performance.md`: the table and a plot, between its markers. */
export async function writeDocument({ figures, details, node, runs, scale, settledRows }) {
  const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${node}`;
  const rows = Object.entries(figures).map(
    ([name, value]) => `| ${TARGETS[name][0]} | ${value.toFixed(2)} | ${verdict(name, value)} |`,
  );
  const text = [
    `Measured on ${machine}; worker, PostgreSQL (fsync and \`synchronous_commit\` on), Redis and receiver share it. Medians of ${runs} runs at scale ${scale} beside ${settledRows} settled rows: \`npm run bench -- --docs\`.`,
    '',
    '| figure | measured | wanted |',
    '|---|---|---|',
    ...rows,
    '',
    '![The ratios](performance.svg)',
    '',
    'Details of the same run:',
    '',
    '```json',
    JSON.stringify(details, null, 1),
    '```',
  ].join('\n');
  const file = new URL('../../docs/performance.md', import.meta.url);
  const document = await readFile(file, 'utf8');
  const [begin, end] = ['<!-- bench:begin -->', '<!-- bench:end -->'];
  const [before, rest] = document.split(begin);
  await writeFile(file, `${before}${begin}\n\n${text}\n\n${end}${rest.split(end)[1]}`);
  await writeFile(new URL('../../docs/performance.svg', import.meta.url), plot(figures));
}

/** Each figure as a share of what is wanted: right of the line is better. */
function plot(figures) {
  const bars = Object.entries(figures).filter(([name]) => TARGETS[name][1] !== null);
  const height = bars.length * 34 + 50;
  const drawn = bars.map(([name, value], i) => {
    const [label, kind, bound] = TARGETS[name];
    const share = Math.min(kind === 'atLeast' ? value / bound : bound / Math.max(value, 1e-9), 4);
    const y = 30 + i * 34;
    const width = Math.round(share * 150);
    const colour = share >= 1 ? '#2a7f62' : '#b4532a';
    return `<text x="8" y="${y + 9}">${label}: ${value.toFixed(2)}</text><rect x="8" y="${y + 14}" width="${width}" height="10" fill="${colour}"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="${height}" font-family="sans-serif" font-size="12"><rect width="640" height="${height}" fill="#fff"/><text x="100" y="16">the line is what is wanted; beyond it is better</text>${drawn.join('')}<line x1="158" x2="158" y1="22" y2="${height - 10}" stroke="#333" stroke-dasharray="4 3"/></svg>\n`;
}
