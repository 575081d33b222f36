// npm run bench [-- --only PART,PART] [--quick] [--runs 3] [--scale 1] [--json FILE] [--docs]
// `--quick`, for development: one run of a fifth, beside a twentieth of the settled rows.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { crash } from './parts/crash.mjs';
import { embedded } from './parts/embedded.mjs';
import { fanout } from './parts/fanout.mjs';
import { formats } from './parts/formats.mjs';
import { guards } from './parts/guards.mjs';
import { idle } from './parts/idle.mjs';
import { isolation } from './parts/isolation.mjs';
import { large } from './parts/large.mjs';
import { plans } from './parts/plans.mjs';
import { saturated } from './parts/saturated.mjs';
import { steady } from './parts/steady.mjs';
import { workers } from './parts/workers.mjs';
import { conditionsOf, printTable, writeDocument } from './report.mjs';
import { Stage } from './stage.mjs';

/** The first three share what they opened. */
const PARTS = { idle, steady, saturated, guards, crash, large, formats, fanout, isolation, workers, embedded, plans };
const SHARING = new Set(['idle', 'steady', 'saturated']);
const SETTLED_ROWS = 1_000_000;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(PARTS).join() },
    runs: { type: 'string' },
    scale: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    docs: { type: 'boolean', default: false },
  },
});
const names = values.only.split(',');
const unknown = names.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  console.error(`--only knows ${Object.keys(PARTS).join(', ')}; not ${unknown.join(', ')}`);
  process.exit(2);
}

const runs = Number(values.runs ?? (values.quick ? 1 : 3));
const scale = Number(values.scale ?? (values.quick ? 0.2 : 1));
const settledRows = Math.ceil(SETTLED_ROWS * Math.min(scale, 1) * (values.quick ? 0.25 : 1));

const stage = await Stage.open();
const figures = {};
const details = {};
try {
  for (const name of names) {
    console.error(`${name} …`);
    stage.foreign = [];
    if (!SHARING.has(name)) await stage.closeContest();
    const result = await PARTS[name](stage, { runs, scale, settledRows });
    Object.assign(figures, result.figures);
    details[name] = { ...result.details, ...conditionsOf(stage) };
    printTable(result.figures, details[name]);
  }
} finally {
  await stage.close();
}
const report = { figures, details, node: process.version, runs, scale, settledRows };
if (values.json) {
  await mkdir(dirname(values.json), { recursive: true });
  await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
}
if (values.docs) await writeDocument(report);
process.exit(0);
