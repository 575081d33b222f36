// A customer's endpoint in a child process: in ours it would share the event loop and hide effects of a broken
// receiver. Uses only node:http and node:crypto, so that the code under test does not check itself. Each path has a
// script: what to do with the first request, the second, …; the last step repeats. A part of a job may have its own.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const KEPT_BODY_BYTES = 100_000;

/** @type {Map<string, { secret: string | null, steps: any[], taken: number }>} */
const scripts = new Map();
/** Held responses, by path. */
const held = new Map();

function signatureIsValid(secret, header, raw) {
  const expected = Buffer.from(createHmac('sha256', secret).update(raw).digest('hex'));
  const given = Buffer.from(String(header ?? '').replace(/^sha256=/, ''));
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function countRows(raw) {
  try {
    return JSON.parse(raw.toString('utf8')).results.length;
  } catch {
    return null;
  }
}

function answer(response, { status = 200, headers = {}, body = 'ok' }) {
  response.writeHead(status, { 'Content-Type': 'text/plain', ...headers });
  response.end(body);
}

/** Writes until the client closes. */
function flood(response, bytes) {
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': String(bytes) });
  const chunk = Buffer.alloc(65_536, 'x');
  const pump = () => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', pump);
  };
  response.on('error', () => undefined);
  pump();
}

const behaviours = {
  answer: (_request, response, step) => {
    if (step.delayMs) setTimeout(answer, step.delayMs, response, step);
    else answer(response, step);
  },
  hold: (request, response, step) => {
    const waiting = held.get(request.url) ?? [];
    held.set(request.url, [...waiting, () => answer(response, step)]);
  },
  hang: () => undefined,
  reset: (request) => request.socket.resetAndDestroy(),
  close: (request) => request.socket.end(),
  garbage: (request) => request.socket.end('220 mail.example ESMTP ready\r\n'),
  flood: (_request, response, step) => flood(response, step.bytes),
  'slow-headers': (request) => {
    request.socket.write('HTTP/1.1 200 OK\r\nX-Slow: ');
    const timer = setInterval(() => request.socket.write('a'), 20);
    request.socket.on('close', () => clearInterval(timer)).on('error', () => undefined);
  },
};

const server = createServer((request, response) => {
  // The ping that is sent when a sink is saved. A script of its own shows and answers it.
  if (request.method === 'OPTIONS' && !scripts.has(request.url + ' OPTIONS')) return void response.writeHead(204).end();
  const script = scripts.get(`${request.url} ${request.headers['x-mt-part'] ?? request.method}`) ??
    scripts.get(request.url) ?? { secret: null, steps: [{ kind: 'answer' }], taken: 0 };
  const step = script.steps[Math.min(script.taken++, script.steps.length - 1)];
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('error', () => undefined);
  request.on('end', () => {
    const raw = Buffer.concat(chunks);
    process.send({
      request: {
        path: request.url,
        method: request.method,
        headers: request.headers,
        rawHeaders: request.rawHeaders,
        bytes: raw.length,
        sha256: createHash('sha256').update(raw).digest('hex'),
        rows: countRows(raw),
        body: raw.length <= KEPT_BODY_BYTES ? raw.toString('utf8') : null,
        signatureIsValid:
          script.secret === null ? null : signatureIsValid(script.secret, request.headers['x-mt-signature'], raw),
        receivedAtMs: Date.now(),
      },
    });
    behaviours[step.kind](request, response, step);
  });
});

const orders = {
  script: ({ path, part, secret, steps }) =>
    scripts.set(part === null ? path : `${path} ${part}`, { secret, steps, taken: 0 }),
  'drop-idle': () => server.closeIdleConnections(),
  release: ({ path }) => {
    for (const go of held.get(path) ?? []) go();
    held.delete(path);
  },
};

process.on('message', (order) => {
  orders[order.op](order);
  process.send({ done: order.id });
});
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
