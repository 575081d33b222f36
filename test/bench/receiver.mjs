// The customer's side of the bench, in a process of its own: counts and verifies every push, and keeps what the parts
// ask for. A wrong signature, a repeated success or a wrong length makes the run void.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';

const secret = process.env.BENCH_SECRET ?? '';
const totals = { pushes: 0, bytes: 0, wrong: 0, repeated: 0 };
let delivered = new Set();
let firstByteAt = new Map();
/** Paths that never answer. */
const hanging = (url) => url.startsWith('/hang');

/** By job, whose id the body begins with. */
function noteFirstByte(chunk, at) {
  const jobId = /^\{"jobId":"([^"]+)"/.exec(chunk.subarray(0, 100).toString('latin1'))?.[1];
  if (jobId !== undefined && !firstByteAt.has(jobId)) firstByteAt.set(jobId, Number(at / 1000n) / 1000);
}

const server = createServer((request, response) => {
  // The ping that is sent when a sink is saved.
  if (request.method === 'OPTIONS') return void response.writeHead(204).end();
  const at = process.hrtime.bigint();
  const id = request.headers['x-mt-delivery-id'];
  const mac = createHmac('sha256', secret);
  let bytes = 0;
  request.on('data', (chunk) => {
    if (bytes === 0) noteFirstByte(chunk, at);
    bytes += chunk.length;
    mac.update(chunk);
  });
  request.on('end', () => {
    if (hanging(request.url)) return;
    totals.pushes++;
    totals.bytes += bytes;
    if (request.headers['x-mt-signature'] !== `sha256=${mac.digest('hex')}`) totals.wrong++;
    if (bytes !== Number(request.headers['content-length'])) totals.wrong++;
    if (delivered.has(id)) totals.repeated++;
    delivered.add(id);
    response.end('ok');
  });
  request.on('error', () => undefined);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send({ listening: server.address().port }));

process.on('message', ({ ask, call }) => {
  if (ask === 'totals') process.send({ call, answer: { ...totals, deliveries: delivered.size } });
  if (ask === 'first-bytes') process.send({ call, answer: Object.fromEntries(firstByteAt) });
  if (ask === 'reset') {
    Object.assign(totals, { pushes: 0, bytes: 0, wrong: 0, repeated: 0 });
    delivered = new Set();
    firstByteAt = new Map();
    process.send({ call, answer: null });
  }
});
process.on('disconnect', () => process.exit());
