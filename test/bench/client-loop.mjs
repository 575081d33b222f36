// The ceiling: a bare loop that signs and posts one ready body over undici, 64 at a time, and writes nothing down.
import { createHash, createHmac } from 'node:crypto';
import { Pool } from 'undici';

const { origin, secret } = JSON.parse(process.env.BENCH_CLIENT);
const pool = new Pool(origin, { connections: 64 });

async function post(body, n, tag) {
  const timestamp = Math.floor(Date.now() / 1000);
  const id = `dlv_${tag}_${n}`;
  const plain = createHmac('sha256', secret).update(body).digest('hex');
  const standard = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64');
  const response = await pool.request({
    path: '/client',
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-digest': `sha-256=:${createHash('sha256').update(body).digest('base64')}:`,
      'x-mt-delivery-id': id,
      'x-mt-attempt': '1',
      'x-mt-signature': `sha256=${plain}`,
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': `v1,${standard}`,
    },
    body,
  });
  await response.body.dump();
}

process.on('message', async ({ call, ask, count, bytes, tag }) => {
  if (ask !== 'post') return process.send({ call, answer: 0 });
  const body = Buffer.alloc(bytes, 'x');
  let next = 0;
  const postNext = async () => {
    while (next < count) await post(body, next++, tag);
  };
  await Promise.all(Array.from({ length: 64 }, postNext));
  process.send({ call, answer: null });
});
process.on('disconnect', () => process.exit());
process.send({ ready: process.pid });
