/**
 * Reads one body, as a stranger would make it, with the compiled kit; run as a child process with a small heap.
 * `node hostile-bodies.mjs <the kit's index.js> <body>` writes one line of JSON: how it ended, and the process's peak.
 */
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { createGzip } from 'node:zlib';

const [, , entry, name] = process.argv;
const { PayloadReader, receivePush } = await import(pathToFileURL(entry).href);

const ROWS_ALONE = {
  ...{ 'x-mt-job-id': 'job_1', 'x-mt-agent-id': 'agt_1', 'x-mt-workspace-id': 'ws_1' },
  ...{ 'x-mt-completed-at': '2026-05-25T12:34:56Z', 'x-mt-stats': 'total=1, matched=1, unmatched=0' },
};
const PIECES = 1_000_000;

/** A megabyte that compresses to a kilobyte, and takes seventeen once it is parsed. */
function* manyMembers() {
  const list = `[${Array(340_000).fill('{}').join(',')}]`;
  const known = ['jobId', 'agentId', 'workspaceId', 'completedAt', 'stats', 'test'];
  const names = [...known, ...Array.from({ length: 30 }, (_, i) => `later${i}`)];
  for (const [i, member] of names.entries()) yield Buffer.from(`${i === 0 ? '{' : ','}"${member}":${list}`);
  yield Buffer.from('}');
}

function* oneByOne(start) {
  yield Buffer.from(start);
  for (let i = 0; i < PIECES; i++) yield Buffer.from('x');
}

async function read(source, headers) {
  for await (const rows of new PayloadReader(source, { headers }).batches()) void rows;
}

const json = { 'content-type': 'application/json' };
const bodies = {
  members: () => read(Readable.from(manyMembers()).pipe(createGzip()), { ...json, 'content-encoding': 'gzip' }),
  json: () => read(oneByOne('{"jobId":"'), json),
  jsonl: () => read(oneByOne('{"partnerRowId":"'), { ...ROWS_ALONE, 'content-type': 'application/x-ndjson' }),
  csv: () => read(oneByOne('partnerRowId\r\n"'), { ...ROWS_ALONE, 'content-type': 'text/csv' }),
  request: () => {
    const seconds = String(Math.floor(Date.now() / 1000));
    const headers = { 'webhook-id': 'dlv_1', 'webhook-timestamp': seconds, 'webhook-signature': 'v1,x' };
    const request = Object.assign(Readable.from(oneByOne(''), { objectMode: false }), { headers });
    return receivePush(request, { secret: 'a secret that is long enough' });
  },
};

const ended = await bodies[name]().then(
  () => 'read',
  (error) => error.code,
);
const peakKib = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
process.stdout.write(`${JSON.stringify({ ended, peakMib: Math.round(peakKib / 1024) })}\n`);
