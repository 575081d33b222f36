/**
 * The customer's side of the demo in a separate process: an endpoint that verifies `X-MT-Signature` on the raw body
 * with Node alone. It answers the first push with 503, like an endpoint that is being restarted, and reports what it
 * receives as JSON lines.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';

const secret = process.env['DEMO_SECRET'] ?? '';
let pushes = 0;

const server = createServer((request, response) => {
  // The ping that is sent when a sink is saved.
  if (request.method !== 'POST') return void response.writeHead(405, { allow: 'POST' }).end();
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const rawBody = Buffer.concat(chunks);
    const signatureValid = verifySignature(request, rawBody);
    const payload = JSON.parse(rawBody.toString('utf8')) as {
      test?: boolean;
      results: { referenceHotelId: string | null }[];
    };
    const answered = signatureValid ? answerFor(payload.test === true) : 401;
    report({
      event: 'received',
      test: payload.test === true,
      deliveryId: request.headers['x-mt-delivery-id'],
      attempt: Number(request.headers['x-mt-attempt']),
      bytes: rawBody.length,
      sha256: createHash('sha256').update(rawBody).digest('hex'),
      signatureValid,
      rows: payload.results.length,
      matched: payload.results.filter((row) => row.referenceHotelId !== null).length,
      answered,
    });
    response
      .writeHead(answered, { 'content-type': 'text/plain' })
      .end(answered === 200 ? 'thank you' : 'try again later');
  });
});

/** The contract's check: drop `sha256=`, compare in constant time with the HMAC of the raw body in hex. */
function verifySignature(request: IncomingMessage, rawBody: Buffer): boolean {
  const given = Buffer.from(String(request.headers['x-mt-signature'] ?? '').replace(/^sha256=/, ''));
  const expected = Buffer.from(createHmac('sha256', secret).update(rawBody).digest('hex'));
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function answerFor(test: boolean): number {
  if (test) return 200;
  pushes++;
  return pushes === 1 ? 503 : 200;
}

function report(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  report({ event: 'listening', port: typeof address === 'object' ? address?.port : null });
});

// This pipe closes when the demo ends for any reason, so no process is left behind.
process.stdin.on('end', () => process.exit(0)).resume();
