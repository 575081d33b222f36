import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAuthority } from '../../support/egress/certificates.js';
import { ReceiverProcess } from '../../support/egress/receiver-process.js';
import { until } from '../../support/platform/until.js';

const HOST = 'hooks.acme.org';
const script = (name: string): string => fileURLToPath(new URL(`../../support/egress/${name}`, import.meta.url));
const [operators, extra, foreign] = ['The operator’s', 'NODE_EXTRA_CA_CERTS', 'Somebody else'].map(createAuthority);

let directory: string;
let receivers: readonly ReceiverProcess[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'data-sinks-authorities-'));
  receivers = await Promise.all(
    [operators, extra, foreign].map((authority) =>
      ReceiverProcess.start({ tls: authority?.issue({ name: HOST, hosts: [HOST] }) }),
    ),
  );
});
afterAll(async () => {
  await Promise.all(receivers.map((receiver) => receiver.stop()));
  await rm(directory, { recursive: true });
});

/** What came of a push to each URL, from a process with this environment. */
async function pushed(urls: readonly string[], ca: readonly string[], env: Readonly<Record<string, string>>) {
  const { PATH = '', HOME = '' } = process.env;
  const child = fork(script('pushing.mjs'), [JSON.stringify({ urls, ca })], {
    env: { PATH, HOME, ...env },
    execArgv: [],
  });
  const [results] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the process ended with ${code}`))),
  ])) as [unknown[]];
  return results;
}

describe('the environment of the process', () => {
  it.each<[string, boolean, boolean, readonly string[]]>([
    ['trustedCertificates adds to NODE_EXTRA_CA_CERTS', true, true, ['answered', 'answered', 'failed']],
    ['NODE_EXTRA_CA_CERTS counts by itself', false, true, ['failed', 'answered', 'failed']],
    ['trustedCertificates counts by itself', true, false, ['answered', 'failed', 'failed']],
  ])('%s', async (_title, own, variable, kinds) => {
    const file = join(directory, 'extra.pem');
    await writeFile(file, extra?.cert ?? '');
    const urls = receivers.map((receiver) => receiver.url('/answer/status/200', HOST, 'https'));
    const env: Record<string, string> = variable ? { NODE_EXTRA_CA_CERTS: file } : {};
    const results = await pushed(urls, own ? [operators?.cert ?? ''] : [], env);
    expect(results.map((result) => (result as { kind: string }).kind)).toEqual(kinds);
  });

  it('a missing file in NODE_EXTRA_CA_CERTS has no effect', async () => {
    const url = receivers[0]?.url('/answer/status/200', HOST, 'https') ?? '';
    const env = { NODE_EXTRA_CA_CERTS: join(directory, 'none.pem') };
    expect(await pushed([url], [operators?.cert ?? ''], env)).toMatchObject([{ kind: 'answered', httpStatus: 200 }]);
  });

  it('proxy variables have no effect: the proxy gets no connection', async () => {
    const proxy = fork(script('proxy.mjs'), [], { execArgv: [] });
    const plain = await ReceiverProcess.start({});
    try {
      const [{ port }] = (await once(proxy, 'message')) as [{ port: number }];
      let connections = 0;
      proxy.on('message', () => connections++);
      const address = `http://127.0.0.1:${port}`;
      const env = {
        ...{ HTTP_PROXY: address, HTTPS_PROXY: address, http_proxy: address, https_proxy: address, ALL_PROXY: address },
        ...{ NO_PROXY: '', NODE_USE_ENV_PROXY: '1' },
      };
      const urls = [
        receivers[0]?.url('/answer/status/200', HOST, 'https') ?? '',
        plain.url('/answer/status/200', '127.0.0.1', 'http'),
      ];
      const results = await pushed(urls, [operators?.cert ?? ''], env);
      expect(results[0]).toMatchObject({ kind: 'answered', httpStatus: 200 });
      // Messages come in order: once this connection of ours is counted, any earlier one would have been.
      get(address)
        .on('response', (answer) => answer.resume())
        .on('error', () => undefined);
      await until(() => connections > 0, 'the proxy tells of our own connection');
      expect(connections).toBe(1);
      return;
    } finally {
      proxy.disconnect();
      await plain.stop();
    }
  });
});
