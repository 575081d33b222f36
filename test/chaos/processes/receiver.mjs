// The customer's endpoint, in a process that no fault touches. Every POST is a line of the ledger before it is answered:
// what this file says was received was received, whatever became of the worker that sent it.
import { createHash, createHmac } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const { ledger, secret } = JSON.parse(process.argv[2]);
let file = openSync(ledger, 'a');

/** How it behaves from now on; the parent changes it. */
let behaviour = { failShare: 0, answerAfterMs: 0, bytesPerSecond: 0, always: 0, otherSecrets: [] };
process.on('message', ({ ledger: next, ...changes }) => {
  behaviour = { ...behaviour, ...changes };
  if (next) file = openSync(next, 'a');
  process.send({ behaviour });
});
process.on('disconnect', () => process.exit(0));

/** A receiver that is down too often ends deliveries by the contract; after this attempt it works for certain. */
const PATIENCE = 6;

/** The same delivery and attempt always meet the same fate, whichever worker brings it. */
function statusFor(delivery, attempt) {
  if (behaviour.always) return behaviour.always;
  const draw = createHash('sha256').update(`${delivery}/${attempt}`).digest().readUInt32BE() / 2 ** 32;
  return attempt <= PATIENCE && draw < behaviour.failShare ? 503 : 200;
}

/** How the body is read: at once, or so slowly that the upload takes a while. */
async function* chunksOf(request) {
  for await (const chunk of request) {
    yield chunk;
    if (behaviour.bytesPerSecond > 0) await delay((chunk.length / behaviour.bytesPerSecond) * 1000);
  }
}

/** Which of the secrets that the customer knows a push is signed with: by the plain headers, and by Standard Webhooks'. */
function signatureCheck(headers) {
  const known = [secret, ...behaviour.otherSecrets].map((key) => ({
    plain: createHmac('sha256', key),
    standard: createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`),
  }));
  return {
    update: (chunk) => known.forEach(({ plain, standard }) => (plain.update(chunk), standard.update(chunk))),
    keys() {
      const plain = known.map((hmac) => `sha256=${hmac.plain.digest('hex')}`);
      const standard = known.map((hmac) => `v1,${hmac.standard.digest('base64')}`);
      const given = [headers['x-mt-signature'], headers['x-mt-signature-previous']].filter(
        (text) => text !== undefined,
      );
      const keys = given.map((text) => plain.indexOf(text));
      const same = (headers['webhook-signature'] ?? '').split(' ').map((text) => standard.indexOf(text));
      return keys.join() === same.join() ? keys : [...keys, -1];
    },
  };
}

async function take(request, response) {
  // What is answered late belongs to the scenario in which it came, not to the next.
  const own = file;
  const write = (line) => writeSync(own, `${JSON.stringify(line)}\n`);
  const post = {
    path: request.url,
    delivery: request.headers['x-mt-delivery-id'],
    attempt: Number(request.headers['x-mt-attempt']),
    part: request.headers['x-mt-part'] ?? null,
  };
  write({ event: 'begun', at: Date.now(), ...post });
  const hash = createHash('sha256');
  const signature = signatureCheck(request.headers);
  let bytes = 0;
  let head = '';
  for await (const chunk of chunksOf(request)) {
    bytes += chunk.length;
    hash.update(chunk);
    signature.update(chunk);
    if (head.length < 256) head += chunk.toString('latin1', 0, 256);
  }
  const keys = signature.keys();
  const signedAt = Number(request.headers['webhook-timestamp']) * 1000;
  const arrived = {
    ...post,
    bytes,
    sha256: hash.digest('hex'),
    jobId: /^\{"jobId":"([^"]+)"/.exec(head)?.[1] ?? null,
    signed: keys.length > 0 && !keys.includes(-1),
    ...{ keys, signedAt },
    // Standard Webhooks lets receivers refuse what is more than five minutes off.
    clockOffS: Math.round((signedAt - Date.now()) / 1000),
  };
  write({ event: 'arrived', at: Date.now(), ...arrived });
  if (behaviour.answerAfterMs > 0) await delay(behaviour.answerAfterMs);
  const status = statusFor(post.delivery, post.attempt);
  write({ event: 'answered', at: Date.now(), ...arrived, status });
  response.writeHead(status, { 'content-type': 'text/plain' }).end(status === 200 ? 'ok' : 'down for a moment');
}

const server = createServer((request, response) => {
  // The ping that is sent when a sink is saved.
  if (request.method === 'OPTIONS') return void response.writeHead(204).end();
  // A sender that dies in mid-upload is no error of the receiver's.
  take(request, response).catch(() => response.destroy());
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
