import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { DataSource } from 'typeorm';
import { ALL_SCOPES } from '../../../src/reference-host/workspaces/api-tokens.js';
import { platformDatabase, type PlatformDatabase } from '../../support/platform/platform-database.js';
import { until } from '../../support/platform/until.js';

const MAIN = fileURLToPath(new URL('../../../dist/src/main.js', import.meta.url));
const BOOT_LIMIT_MS = 240_000;

/** The compiled host on PostgreSQL and Redis, as in production but for its log level; all it prints is kept. */
export class HostProcess {
  output = '';

  private constructor(
    private readonly child: ChildProcessByStdio<null, Readable, Readable>,
    readonly services: PlatformDatabase,
    readonly database: DataSource,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => (this.output += text.toString()));
  }

  static async start(): Promise<HostProcess> {
    const services = await platformDatabase('services');
    const { databaseUrl, redisUrl, vaultKeys, dataDir } = services;
    const database = await new DataSource({ type: 'postgres', url: databaseUrl ?? '' }).initialize();
    const { PATH = '', HOME = '' } = process.env;
    const env = {
      ...{ PATH, HOME, PORT: '0', LOG_LEVEL: 'verbose', ALLOW_PRIVATE_ENDPOINTS: '127.0.0.0/8' },
      ...{ DATABASE_URL: databaseUrl ?? '', REDIS_URL: redisUrl ?? '', VAULT_KEYS: vaultKeys, DATA_DIR: dataDir },
    };
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const host = new HostProcess(child, services, database);
    await until(() => /listening on /.exec(host.output) ?? child.exitCode !== null, 'the host listens', BOOT_LIMIT_MS);
    if (child.exitCode !== null) throw new Error(`the host ended: ${host.output}`);
    return host;
  }

  get origin(): string {
    const [, origin] = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(this.output) ?? [];
    if (origin === undefined) throw new Error('the host does not listen');
    return origin;
  }

  /** @returns a token of a new workspace that may do everything */
  async token(): Promise<string> {
    const id = randomBytes(13).toString('hex').toUpperCase();
    const token = `mt_${randomBytes(32).toString('base64url')}`;
    await this.database.query(`INSERT INTO host_workspace (id, name, plan) VALUES ($1, 'Marked', 'PRO_MAX')`, [
      `ws_${id}`,
    ]);
    await this.database.query(
      'INSERT INTO host_api_token (id, workspace_id, token_sha256, scopes) VALUES ($1, $2, $3, $4)',
      [`tok_${id}`, `ws_${id}`, createHash('sha256').update(token).digest(), ALL_SCOPES],
    );
    return token;
  }

  /** Every column of every row of every table, as text; bytes are in hex. */
  async tables(): Promise<ReadonlyMap<string, string>> {
    const names = await this.database.query<{ name: string }[]>(
      `SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace`,
    );
    const found = new Map<string, string>();
    for (const { name } of names) {
      const [row] = await this.database.query<{ text: string | null }[]>(
        `SELECT string_agg(t::text, E'\\n') AS text FROM "${name}" t`,
      );
      found.set(name, row?.text ?? '');
    }
    return found;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const closed = once(this.child, 'close');
    this.child.kill('SIGTERM');
    await closed;
  }

  async remove(): Promise<void> {
    await this.stop();
    await this.database.destroy();
    await this.services.remove();
  }
}
