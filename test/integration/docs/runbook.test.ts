import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ResolvedDataSinksOptions } from '../../../src/data-sinks/data-sinks.options.js';
import { OPTIONS } from '../../../src/data-sinks/data-sinks.tokens.js';
import type { Body } from '../../support/platform/api-client.js';
import { type Platform, startPlatform } from '../../support/platform/start-platform.js';
import { until } from '../../support/platform/until.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const page = readFileSync(`${ROOT}docs/operations.md`, 'utf8');

/** What stands between two fences, with the language of the first. A block in a list is indented as the list is. */
const blocks = [...page.matchAll(/^( *)```(\w*)\n([\s\S]+?)^ *```$/gm)].map(
  ([, indent = '', language = '', text = '']) => ({
    language,
    text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }),
);
const commands = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text);
const COMMANDS_WITHIN_MS = 60_000;

let platform: Platform;
let variables: Readonly<Record<string, string>>;

beforeAll(async () => {
  platform = await startPlatform({ mode: 'services' });
  const agent = await (await platform.customer()).agent({ retry_failed_push: 0 });
  const endpoint = await platform.receiver.endpoint([{ kind: 'answer', status: 503 }, { kind: 'answer' }]);
  const sink = await agent.sink(endpoint);
  const since = new Date(Date.now() - 60_000).toISOString();
  const failed = await sink.settledPush();
  const delivered = await sink.settledPush();
  // A job that nobody has pushed to this sink.
  await agent.setRules({ auto_push_on_job_complete: false });
  const { url: databaseUrl } = platform.database.options as { readonly url: string };
  const { vaultKeys } = platform.app.get<ResolvedDataSinksOptions>(OPTIONS, { strict: false });
  variables = {
    HOST: platform.origin,
    TOKEN: await platform.token(agent.customer.workspaceId),
    SINK: `${platform.origin}/api/v1/${sink.path}`,
    DELIVERY: `${platform.origin}/api/v1/deliveries/${delivered.id}`,
    JOB: await agent.finishJob(),
    SINCE: since,
    UNTIL: new Date(Date.parse(failed.settledAt) + 1).toISOString(),
    DATABASE_URL: databaseUrl,
    VAULT_KEYS: `next:${randomBytes(32).toString('base64')},${vaultKeys}`,
  };
});
afterAll(() => platform.stop());

/** As an operator's shell runs it, and it ends with the first thing that fails. */
async function run(command: string): Promise<string> {
  const { PATH = '', HOME = '' } = process.env;
  // The scripts of package.json build first; this run has built already, and others are using what it built.
  const env = { PATH, HOME, npm_config_ignore_scripts: 'true', ...variables };
  const child = spawn('bash', ['-euo', 'pipefail', '-c', command], { cwd: ROOT, env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`it ended with ${String(code)}: ${output}`);
  return output;
}

describe('the commands of docs/operations.md', () => {
  it('are all fenced blocks except SQL, which has its own test, and code examples', () => {
    const others = blocks.filter(({ language }) => !['sh', 'sql'].includes(language));
    expect(others).toEqual([{ language: 'ts', text: expect.stringContaining('class DataSinksIndicator') }]);
    expect((page.match(/```/g) ?? []).length).toBe(2 * blocks.length);
  });

  it('do not appear inside a line of text', () => {
    expect(page.match(/`(npm|npx|node|curl|psql|docker)\b[^`]*`/g)).toBeNull();
  });

  it('use the variables that it explains, and no others', () => {
    const explained = [...page.matchAll(/^\| `([A-Z_]+)`(?:, `([A-Z_]+)`)? \| /gm)].flatMap(([, ...names]) => names);
    const used = commands.flatMap((text) => [...text.matchAll(/\$([A-Z_]+)/g)].map(([, name = '']) => name));
    const made = commands.flatMap((text) => [...text.matchAll(/^([A-Z_]+)=/gm)].map(([, name = '']) => name));
    expect(used.filter((name) => !explained.includes(name) && !made.includes(name))).toEqual([]);
    expect(Object.keys(variables).filter((name) => !explained.includes(name))).toEqual([]);
  });

  const said: string[] = [];
  it.each(commands)('run: %s', async (command) => void said.push(await run(command)), COMMANDS_WITHIN_MS);

  it('have the described effect', async () => {
    const all = said.join('\n');
    expect(said).toHaveLength(commands.length);
    for (const expected of [
      /"status":"ok"/,
      /^data_sinks_queue_depth\{/m,
      /"consecutiveFailures":/,
      /"passed":true/,
      /"deliveries":1,"runningRecoveryId":null/,
      /^1 re-encrypted under next$/m,
      /All chains of audit entries hold\./,
      /No migrations are pending/,
    ]) {
      expect(all).toMatch(expected);
    }
    const [recovery] = await until(async () => {
      const found = await platform.sql<Body>('SELECT * FROM agent_data_source_recovery');
      return found[0]?.finished_at && found;
    }, 'the recovery has finished');
    expect(recovery).toMatchObject({ total: 1, requested_by_type: 'token' });
    const pushed = await platform.sql<Body>('SELECT trigger FROM agent_data_source_delivery WHERE job_id = $1', [
      variables['JOB'],
    ]);
    expect(pushed).toEqual([{ trigger: 'MANUAL' }]);
    const actions = await platform.sql<Body>('SELECT action FROM agent_data_source_audit');
    expect(actions.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['DATA_SINK_TESTED', 'RECOVERY_REQUESTED', 'REDELIVERY_REQUESTED', 'PUSH_REQUESTED']),
    );
  });
});
