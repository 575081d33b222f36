import http from 'node:http';
import https from 'node:https';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type ContextId, ContextIdFactory, type ContextIdStrategy } from '@nestjs/core';
import { useContainer } from 'class-validator';
import type { DataSource } from 'typeorm';
import { getGlobalDispatcher, MockAgent, setGlobalDispatcher } from 'undici';
import { dataSinksEntities, dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { type Asked, told } from '../../support/guest/ask.js';
import { AGENT, type Framework, type GuestHost, JOB_ID, startGuestHost } from '../../support/guest/guest-host.js';
import { openMigratedPglite } from '../../support/pglite-template.js';
import { type Endpoint, Receiver } from '../../support/platform/receiver-process.js';
import { until } from '../../support/platform/until.js';

const SINKS = `/api/v1/agents/${AGENT}/data-sources`;

let database: DataSource;
let receiver: Receiver;
const undo: (() => void)[] = [];

beforeAll(async () => {
  database = await openMigratedPglite(dataSinksMigrations, dataSinksEntities);
  receiver = await Receiver.start();
}, 240_000);
afterEach(() => {
  for (const one of undo.splice(0)) one();
});
afterAll(async () => {
  await receiver?.stop();
  await database?.destroy();
});

/** Tenants have trees of durable providers of their own, as Nest's documentation has it. A request without one has no business here. */
class ByTenant implements ContextIdStrategy {
  readonly #trees = new Map<string, ContextId>();

  attach(contextId: ContextId, { headers }: { readonly headers: Readonly<Record<string, string | undefined>> }) {
    const tenant = headers['x-tenant-id'];
    if (tenant === undefined) throw new Error('x-tenant-id is missing');
    const tree = this.#trees.get(tenant) ?? ContextIdFactory.create();
    this.#trees.set(tenant, tree);
    return {
      resolve: ({ isTreeDurable }: { isTreeDurable?: boolean }) => (isTreeDurable ? tree : contextId),
      payload: { tenant },
    };
  }
}

/** What a host changes for all of its process, and how a test takes it back. */
const HABITS: readonly (readonly [name: string, begin: (host?: GuestHost) => () => void])[] = [
  [
    'has its durable providers in trees by tenant, and refuses requests without one',
    () => {
      ContextIdFactory.apply(new ByTenant());
      return () => ContextIdFactory.apply(undefined as never);
    },
  ],
  [
    'lets its own container make the validators of class-validator',
    () => {
      useContainer(
        {
          get: (made: unknown) => {
            throw new Error(`Nest could not find ${String((made as { name?: string }).name)} element`);
          },
        },
        { fallbackOnErrors: true },
      );
      return () => useContainer(undefined as never);
    },
  ],
  [
    'writes dates and large numbers in its own way in all JSON',
    () => {
      const dates = Object.getOwnPropertyDescriptor(Date.prototype, 'toJSON') as PropertyDescriptor;
      const numbers = BigInt.prototype as { toJSON?: () => string };
      Date.prototype.toJSON = function () {
        return `${this.getDate()}.${this.getMonth() + 1}.${this.getFullYear()}`;
      };
      numbers.toJSON = function (this: bigint) {
        return String(this);
      };
      return () => {
        Object.defineProperty(Date.prototype, 'toJSON', dates);
        delete numbers.toJSON;
      };
    },
  ],
  [
    'forbids all connections of its own, and has agents of its own for them',
    () => {
      const [dispatcher, agents] = [getGlobalDispatcher(), [http.globalAgent, https.globalAgent]];
      const mocked = new MockAgent();
      mocked.disableNetConnect();
      setGlobalDispatcher(mocked);
      class Forbidding extends http.Agent {
        override createConnection(): never {
          throw new Error('not from here');
        }
      }
      http.globalAgent = new Forbidding();
      https.globalAgent = new Forbidding() as http.Agent as https.Agent;
      return () => {
        setGlobalDispatcher(dispatcher);
        [http.globalAgent, https.globalAgent] = agents as [http.Agent, https.Agent];
      };
    },
  ],
];

const sinkAt = (endpoint: Endpoint, more: object = {}): Asked => ({
  method: 'POST',
  path: SINKS,
  body: JSON.stringify({
    role: 'RESULTS_SINK',
    type: 'HTTPS_WEBHOOK',
    name: 'Internal BI ingest',
    config: { url: endpoint.url, authScheme: 'HmacSha256' },
    secret: { value: 'a-secret-of-at-least-32-characters' },
    format: 'JSON',
    ...more,
  }),
});

/** A sink is made, changed, pushed to and deleted. @returns what was told, and what the receiver got */
async function story(host: GuestHost): Promise<unknown> {
  const endpoint = await receiver.endpoint([{ kind: 'answer' }], 'a-secret-of-at-least-32-characters');
  const made = await host.ask(sinkAt(endpoint));
  expect(made.status).toBe(201);
  const sink = `${SINKS}/${(JSON.parse(made.text) as { id: string }).id}`;
  const wrong = [
    await host.ask(sinkAt(endpoint, { format: 'XML', nothing: 1, name: 5 })),
    await host.ask({ path: `${SINKS}?limit=abc` }),
    await host.ask({ method: 'PATCH', path: sink, body: '{"config":{"url":"ftp://x"}}' }),
  ];
  const tested = await host.ask({ method: 'POST', path: `${sink}/test` });
  const push = { method: 'POST', path: `${sink}/pushes`, body: JSON.stringify({ jobId: JOB_ID }) };
  const delivery = `/api/v1/deliveries/${(JSON.parse((await host.ask(push)).text) as { id: string }).id}`;
  const read = await until(async () => {
    const answer = await host.ask({ path: delivery });
    return answer.text.includes('"DELIVERED"') && answer;
  }, 'the job is delivered');
  const [, { rawHeaders, body, signatureIsValid }] = (await endpoint.received(2)) as [
    never,
    Awaited<ReturnType<Endpoint['first']>>,
  ];
  const deleted = await host.ask({ method: 'DELETE', path: sink });
  const times = /"\d{4}-\d\d-\d\dT[\d:.]+Z"/g;
  return {
    wrong: wrong.map(told),
    passed: (JSON.parse(tested.text) as { passed: boolean }).passed,
    times: [made, read].map(({ text }) => text.match(times)?.length),
    push: { names: rawHeaders.filter((_, i) => i % 2 === 0), body, signatureIsValid },
    deleted: told(deleted),
  };
}

describe.each<[Framework]>([['Express'], ['Fastify']])(
  'on %s, the module is the same in a process whose host',
  (framework) => {
    let tidy: unknown;

    beforeAll(async () => {
      const host = await startGuestHost({ framework, database });
      tidy = await story(host);
      await host.close();
      expect(tidy).toMatchObject({ passed: true, push: { signatureIsValid: true } });
    }, 120_000);

    it.each(HABITS)(
      '%s',
      async (_name, begin) => {
        undo.push(begin());
        const host = await startGuestHost({ framework, database });
        try {
          expect(await story(host)).toEqual(tidy);
        } finally {
          await host.close();
        }
      },
      120_000,
    );
  },
);
