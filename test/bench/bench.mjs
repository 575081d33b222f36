// npm run bench [-- --only small,large,fanout,isolation,workers,embedded,plans] [--runs 3] [--scale 1] [--json FILE] [--docs]
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { embedded } from './parts/embedded.mjs';
import { fanout } from './parts/fanout.mjs';
import { isolation } from './parts/isolation.mjs';
import { large } from './parts/large.mjs';
import { plans } from './parts/plans.mjs';
import { small } from './parts/small.mjs';
import { workers } from './parts/workers.mjs';
import { printTable, writeDocument } from './report.mjs';
import { Stage } from './stage.mjs';

const PARTS = { small, large, fanout, isolation, workers, embedded, plans };

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(PARTS).join() },
    runs: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
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

const stage = await Stage.open();
const figures = {};
const details = {};
try {
  for (const name of names) {
    console.error(`${name} …`);
    const result = await PARTS[name](stage, { runs: Number(values.runs), scale: Number(values.scale) });
    Object.assign(figures, result.figures);
    details[name] = result.details;
    printTable(result.figures, result.details);
  }
} finally {
  await stage.close();
}
const report = { figures, details, node: process.version, runs: Number(values.runs), scale: Number(values.scale) };
if (values.json) {
  await mkdir(dirname(values.json), { recursive: true });
  await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
}
if (values.docs) await writeDocument(report);
process.exit(0);
