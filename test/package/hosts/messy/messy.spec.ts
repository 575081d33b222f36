import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { JOB_COMPLETED_EVENT } from 'nestjs-data-sinks';
import { verifyPush } from 'nestjs-data-sinks/receiver';
import { startMessyHost } from './messy-host.js';
import { express } from './messy-nest-11-express.js';
import { finish } from './messy-ports.js';

/** The messy host’s own tests of its own application. */
const SECRET = 'a secret of 16 bytes or more';

let app: INestApplication;
let receiver: Server;
let pushed: Promise<{ readonly rawBody: Buffer; readonly headers: Record<string, string> }>;

beforeAll(async () => {
  app = await startMessyHost('messy', express);
  receiver = createServer();
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  pushed = new Promise((resolve) =>
    receiver.on('request', (request, response) => {
      // The ping that is sent when a data source is saved.
      if (request.method === 'OPTIONS') return void response.end();
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        response.end();
        resolve({ rawBody: Buffer.concat(pieces), headers: request.headers as Record<string, string> });
      });
    }),
  );
}, 240_000);

afterAll(async () => {
  await app.close();
  receiver.close();
});

it('pushes what the messy host finishes, and verifies it with the receiver kit', async () => {
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const sink = { role: 'RESULTS_SINK', type: 'HTTPS_WEBHOOK', name: 'BI', format: 'JSON', secret: { value: SECRET } };
  const created = await fetch(`${await app.getUrl()}/backend/v2/agents/agt_pro_jest/data-sources`, {
    method: 'POST',
    headers: { authorization: 'Bearer mt_all', 'content-type': 'application/json' },
    body: JSON.stringify({ ...sink, config: { url, authScheme: 'HmacSha256' } }),
  });
  expect(created.status).toBe(201);
  app.get(EventEmitter2).emit(JOB_COMPLETED_EVENT, finish({ jobId: 'job_jest', agentId: 'agt_pro_jest', rows: 2 }));
  const { rawBody, headers } = await pushed;
  expect(verifyPush({ rawBody, headers, secret: SECRET })).toMatchObject({ form: 'standard-webhooks' });
}, 120_000);
