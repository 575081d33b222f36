import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lockDataDirectory } from '../../../src/reference-host/persistence/data-directory-lock.js';
import { seedWhenEmpty } from '../../../src/reference-host/seed.js';
import type { StartedHost } from '../../../src/reference-host/start-host.js';
import { welcome } from '../../../src/reference-host/welcome.js';
import { newDataDirectory, send, startTestHost } from './host-fixture.js';
import { runNode } from './run-node.js';

const MAIN = 'src/main.js';

describe('starting the host', () => {
  let host: StartedHost;
  let dataDir: string;

  beforeAll(async () => {
    dataDir = await newDataDirectory();
    host = await startTestHost(dataDir);
  });
  afterAll(() => host.app.close());

  it('on an empty database creates a workspace, an agent and a token, once', async () => {
    const demo = await seedWhenEmpty(host.app);
    if (!demo) throw new Error('the database was empty');
    expect(await seedWhenEmpty(host.app)).toBeNull();
    const story = welcome(host.url, demo);
    expect(story.split(demo.token)).toHaveLength(2);
    expect(await send(host, demo.token, 'GET', `/api/v1/agents/${demo.agentId}`)).toMatchObject({
      status: 200,
      body: { status: 'DRAFT', workspaceId: demo.workspaceId },
    });
  });

  it('keeps the generated vault key private', async () => {
    const path = join(dataDir, 'vault-keys');
    expect(await readFile(path, 'utf8')).toMatch(/^local:[A-Za-z0-9+/]{43}=\n$/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('keeps idle connections for longer than load balancers do', async () => {
    const answer = await fetch(`${host.url}/healthz`);
    expect(Number(/timeout=(\d+)/.exec(answer.headers.get('keep-alive') ?? '')?.[1])).toBeGreaterThan(60);
    await answer.text();
  });

  it('on a data directory in use fails and names the process', async () => {
    const { code, output } = await runNode(MAIN, { DATA_DIR: dataDir, PORT: '0' }, 240_000);
    expect(output).toContain(`is in use by process ${process.pid}. Stop it, or set DATA_DIR to another directory.`);
    expect(code).toBe(1);
  });

  it('with invalid variables fails and names each, with advice', async () => {
    const { code, output } = await runNode(MAIN, { PORT: 'x', REDIS_URI: 'redis://r' }, 240_000);
    expect(output).toContain('did you mean REDIS_URL?');
    expect(output).toContain('PORT is "x"; set a number');
    expect(code).toBe(1);
  });

  it('on a port in use fails with a message', async () => {
    const variables = { DATA_DIR: await newDataDirectory(), PORT: new URL(host.url).port };
    const { code, output } = await runNode(MAIN, variables, 240_000);
    expect(output).toContain(`PORT ${variables.PORT} is taken; set another`);
    expect(code).toBe(1);
  });

  it('with an unresponsive database fails with a message', async () => {
    const variables = {
      DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/x',
      VAULT_KEYS: `k:${Buffer.alloc(32).toString('base64')}`,
    };
    const { code, output } = await runNode(MAIN, variables, 240_000);
    expect(output).toContain('ECONNREFUSED');
    expect(output).not.toContain('hunter2');
    expect(code).toBe(1);
  });

  it('on files that are not a database fails with a message', async () => {
    const broken = join(await newDataDirectory(), 'broken');
    await mkdir(join(broken, 'pglite'), { recursive: true });
    await writeFile(join(broken, 'pglite', 'PG_VERSION'), '18');
    const { code, output } = await runNode(MAIN, { DATA_DIR: broken, PORT: '0' }, 240_000);
    expect(output).toContain('the database in the data directory cannot be opened');
    expect(code).toBe(1);
  });
});

describe('a data directory’s lock', () => {
  it('is released, and taken over from a dead process', async () => {
    const directory = join(await newDataDirectory(), 'locked');
    lockDataDirectory(directory)();
    const dead = { pid: 2 ** 22 + 1, startedAt: '1' };
    lockDataDirectory(directory, dead);
    const unlock = lockDataDirectory(directory);
    expect(() => lockDataDirectory(directory)).toThrow(/in use by process/);
    unlock();
    lockDataDirectory(directory)();
  });

  it('is taken over when its pid was reused, and when it is incomplete', async () => {
    const directory = join(await newDataDirectory(), 'locked');
    lockDataDirectory(directory, { pid: process.ppid, startedAt: 'long ago' });
    if (process.platform === 'linux') lockDataDirectory(directory)();
    await writeFile(join(directory, 'lock.json'), '{"pi');
    lockDataDirectory(directory)();
  });
});
