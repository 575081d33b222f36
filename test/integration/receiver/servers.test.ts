import 'reflect-metadata';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Controller, Get, Module, Post, Req, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import express from 'express';
import fastify from 'fastify';
import type { PushHeaders, ReceiveOptions } from '../../../src/receiver/index.js';
import {
  answerRefusal,
  expressPush,
  fastifyPush,
  parsePush,
  pushGuard,
  pushOf,
  PushVerificationError,
  receivePush,
  VerifiedPush,
} from '../../../src/receiver/index.js';
import { signedBody } from '../../unit/receiver/pushed-body.js';
import { DELIVERY_ID, OTHER_SECRET, PAYLOAD, SECRET, signedPush } from '../../unit/receiver/signed-push.js';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const seconds = (): number => Math.floor(Date.now() / 1000);
const small = () => signedPush(JSON.stringify(PAYLOAD), SECRET, seconds());
const large = () => {
  const results = Array.from({ length: 12_000 }, (_, i) => ({ ...PAYLOAD.results[i % 2], partnerRowId: `row_${i}` }));
  return signedPush(JSON.stringify({ ...PAYLOAD, results }), SECRET, seconds());
};
/** What each server answers to a push that it accepted. */
const accepted = (request: object) => {
  const { deliveryId, rawBody } = pushOf(request);
  const { headers } = request as { headers: PushHeaders };
  return { deliveryId, rows: parsePush(rawBody, { headers }).results.length };
};

function listen(server: Server): Promise<string> {
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/push`));
  });
}

async function plainNode(options: ReceiveOptions): Promise<string> {
  const server = createServer((request, response) => {
    receivePush(request, options).then(
      () => response.end(JSON.stringify(accepted(request))),
      (error: PushVerificationError) => answerRefusal(response, error),
    );
  });
  return listen(server);
}

async function withExpress(options: ReceiveOptions): Promise<string> {
  const app = express();
  app.post('/push', expressPush(options), (request, response) => void response.json(accepted(request)));
  return listen(createServer(app));
}

async function withExpressRaw(options: ReceiveOptions): Promise<string> {
  const app = express();
  app.use(express.raw({ type: 'application/json', limit: '32mb' }));
  app.post('/push', expressPush(options), (request, response) => void response.json(accepted(request)));
  return listen(createServer(app));
}

async function withFastify(options: ReceiveOptions): Promise<string> {
  const app = fastify();
  app.post('/other', async (request) => request.body);
  await app.register(async (scope) => {
    fastifyPush(scope, options);
    scope.post('/push', async (request) => accepted(request));
  });
  closers.push(() => app.close());
  return `${await app.listen({ port: 0, host: '127.0.0.1' })}/push`;
}

async function withNest(
  controller: new () => object,
  rawBody = true,
  before: (app: INestApplication) => unknown = () => undefined,
): Promise<string> {
  @Module({ controllers: [controller] })
  class PushesModule {}
  const app: INestApplication = await NestFactory.create<NestExpressApplication>(PushesModule, {
    rawBody,
    logger: false,
  });
  before(app);
  (app as NestExpressApplication).useBodyParser('json', { limit: '32mb' });
  closers.push(() => app.close());
  await app.listen(0, '127.0.0.1');
  return `${await app.getUrl()}/push`;
}

function decorated(options: ReceiveOptions): new () => object {
  @Controller()
  class PushesController {
    @Post('push')
    @VerifiedPush(options)
    take(@Req() request: object): object {
      return accepted(request);
    }

    @Get('push')
    open(): string {
      return 'open';
    }
  }
  return PushesController;
}

function guarded(options: ReceiveOptions): new () => object {
  @Controller()
  @UseGuards(pushGuard(options))
  class PushesController {
    @Post('push')
    take(@Req() request: object): object {
      return accepted(request);
    }
  }
  return PushesController;
}

const servers: [string, (options: ReceiveOptions) => Promise<string>][] = [
  ['plain node:http', plainNode],
  ['Express', withExpress],
  ['Express with express.raw()', withExpressRaw],
  ['Fastify', withFastify],
  ['Nest with @VerifiedPush()', (options) => withNest(decorated(options))],
  ['Nest with @UseGuards(pushGuard())', (options) => withNest(guarded(options))],
];

function post(url: string, { headers, body }: ReturnType<typeof signedPush>): Promise<Response> {
  const { 'Content-Length': _fetchSetsIt, ...others } = headers;
  return fetch(url, { method: 'POST', headers: others, body });
}

describe.each(servers)('%s', (_name, start) => {
  it('accepts unchanged pushes, small and large', async () => {
    const url = await start({ secret: SECRET });
    const answers = [await post(url, small()), await post(url, large())];
    expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([
      { deliveryId: DELIVERY_ID, rows: 2 },
      { deliveryId: DELIVERY_ID, rows: 12_000 },
    ]);
    expect(answers.every(({ ok }) => ok)).toBe(true);
  });

  it('refuses a changed byte, another secret, an old push and no signature with 401 and the reason', async () => {
    const url = await start({ secret: SECRET });
    const push = small();
    const changed = { ...push, body: Buffer.from(push.body.toString('utf8').replace('STANDARD', 'STANDARE')) };
    const answers = [
      await post(url, changed),
      await post(url, signedPush(push.body, OTHER_SECRET, seconds())),
      await post(url, signedPush(push.body, SECRET, seconds() - 400)),
      await post(url, { ...push, headers: { 'Content-Type': 'application/json', 'Content-Length': '' } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    for (const [i, told] of [/raw body/, /another secret/, /clock/, /webhook-id is missing/].entries()) {
      expect(texts[i]).toMatch(told);
    }
  });

  it('refuses a body beyond its limit with 413, with or without Content-Length', async () => {
    const url = await start({ secret: SECRET, limitBytes: 1000 });
    expect((await post(url, large())).status).toBe(413);
    const { headers, body } = large();
    const { 'Content-Length': _unannounced, ...others } = headers;
    async function* chunks() {
      for (let i = 0; i < body.length; i += 65_536) yield body.subarray(i, i + 65_536);
    }
    // Fetch sends a stream with chunked encoding; a server that closes early may also be seen as a lost connection.
    const streamed = fetch(url, {
      method: 'POST',
      headers: others,
      body: chunks(),
      duplex: 'half',
    } as unknown as RequestInit);
    expect(
      await streamed.then(
        ({ status }) => status,
        () => 413,
      ),
    ).toBe(413);
  });

  it('fetches its secrets for each push if they come from a function', async () => {
    let secrets: string[] = [OTHER_SECRET];
    const url = await start({ secrets: async () => secrets });
    expect((await post(url, small())).status).toBe(401);
    secrets = [OTHER_SECRET, SECRET];
    expect((await post(url, small())).ok).toBe(true);
    secrets = [];
    expect((await post(url, small())).status).toBe(500);
  });
});

it.each(servers.slice(1))('%s does not start with an empty secret', async (_name, start) => {
  await expect(async () => start({ secret: '' })).rejects.toBeInstanceOf(PushVerificationError);
});

describe('formats beside plain JSON', () => {
  const everywhere = ['JSONL', 'CSV', 'CSV;gzip', 'JSONL;gzip;rows=2;part=3/12'];

  // Body parsers of Express, and so of Nest, take no other type; express.raw() has to be told.
  it.each(servers.filter(([name]) => !name.includes('express.raw()')))('are taken by %s', async (_name, start) => {
    const url = await start({ secret: SECRET });
    for (const recipe of everywhere) {
      const answer = await post(url, signedBody(recipe, PAYLOAD.results, seconds()));
      expect([answer.status < 300, await answer.json()]).toEqual([true, { deliveryId: DELIVERY_ID, rows: 2 }]);
    }
  });

  it.each(servers.slice(0, 2).concat(servers.slice(3, 4)))(
    'compressed JSON is taken by %s as it comes',
    async (_name, start) => {
      const url = await start({ secret: SECRET });
      const answer = await post(url, signedBody('JSON;gzip', PAYLOAD.results, seconds()));
      expect(await answer.json()).toEqual({ deliveryId: DELIVERY_ID, rows: 2 });
    },
  );

  it('compressed JSON is refused where a parser decompresses it first, with advice', async () => {
    const answer = await post(
      await withNest(decorated({ secret: SECRET })),
      signedBody('JSON;gzip', PAYLOAD.results, seconds()),
    );
    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain('before anything decompresses it');
  });

  it('compressed JSON is accepted by Nest if the verification precedes its parsers', async () => {
    @Controller()
    class PushesController {
      @Post('push')
      take(@Req() request: object): object {
        return accepted(request);
      }
    }
    const url = await withNest(PushesController, true, (app) => app.use('/push', expressPush({ secret: SECRET })));
    for (const recipe of ['JSON;gzip', 'JSON', ...everywhere]) {
      const answer = await post(url, signedBody(recipe, PAYLOAD.results, seconds()));
      expect(await answer.json()).toEqual({ deliveryId: DELIVERY_ID, rows: 2 });
    }
    expect((await post(url, signedPush('{}', OTHER_SECRET, seconds()))).status).toBe(401);
  });
});

describe('a server that parses the body first', () => {
  it('is reported in Express', async () => {
    const app = express();
    app.use(express.json());
    app.post('/push', expressPush({ secret: SECRET }));
    const answer = await post(await listen(createServer(app)), small());
    expect(answer.status).toBe(500);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer.json()).toMatchObject({
      code: 'body_already_parsed',
      detail: expect.stringContaining('express.json()'),
    });
  });

  it('is reported in Nest without rawBody', async () => {
    const answer = await post(await withNest(decorated({ secret: SECRET }), false), small());
    expect(answer.status).toBe(500);
    expect(await answer.text()).toContain('{ rawBody: true }');
  });
});

it('a client that disconnects while secrets are fetched ends the wait for its body', async () => {
  const waits: Promise<unknown>[] = [];
  const url = await listen(
    createServer((incoming) => {
      const closed = new Promise((resolve) => incoming.once('close', resolve));
      waits.push(receivePush(incoming, { secrets: () => closed.then(() => [SECRET]) }));
      sender.destroy();
    }),
  );
  const { headers, body } = small();
  const sender = request(url, { method: 'POST', headers });
  sender.write(body.subarray(0, 10));
  await once(sender, 'error');
  await expect(Promise.all(waits)).rejects.toThrow('closed the connection before the body ended');
});

describe('beside the routes that take pushes', () => {
  it('other routes of a Nest controller stay open', async () => {
    const url = await withNest(decorated({ secret: SECRET }));
    expect(await (await fetch(url)).text()).toBe('open');
  });

  it('other routes of Fastify keep their JSON', async () => {
    const url = (await withFastify({ secret: SECRET })).replace('/push', '/other');
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"a":1}',
    });
    expect(await answer.json()).toEqual({ a: 1 });
  });

  it('a route without verification has no push', () => {
    expect(() => pushOf({})).toThrow('install the verification before this route');
  });
});
