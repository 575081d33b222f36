// The ceiling for large bodies: hashes, signs and sends a file that is ready, as a stream.
import { createHash, createHmac } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { request } from 'undici';

const { secret } = JSON.parse(process.env.BENCH_CLIENT);

process.on('message', async ({ call, ask, file, url, tag }) => {
  if (ask !== 'send') return process.send({ call, answer: 0 });
  const hash = createHash('sha256');
  const mac = createHmac('sha256', secret);
  for await (const chunk of createReadStream(file, { highWaterMark: 262_144 })) {
    hash.update(chunk);
    mac.update(chunk);
  }
  const { size } = await stat(file);
  const response = await request(url, {
    method: 'POST',
    headers: {
      'content-length': String(size),
      'x-mt-delivery-id': `dlv_${tag}`,
      'content-digest': `sha-256=:${hash.digest('base64')}:`,
      'x-mt-signature': `sha256=${mac.digest('hex')}`,
    },
    body: createReadStream(file, { highWaterMark: 262_144 }),
  });
  await response.body.dump();
  process.send({ call, answer: size });
});
process.on('disconnect', () => process.exit());
process.send({ ready: process.pid });
