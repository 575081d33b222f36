import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { AWS_NAMES, type AwsEnvironment, readAws } from './aws-environment.js';

export const LOG_LEVELS = ['error', 'warn', 'log', 'debug', 'verbose'] as const;
export type LogLevelName = (typeof LOG_LEVELS)[number];

/** The validated environment of the reference host. */
export interface HostEnvironment {
  readonly port: number;
  /** The address to listen on; null for all of this machine's. */
  readonly bind: string | null;
  /** Where `/metrics` is served apart from everything else; null for the same port. */
  readonly metricsPort: number | null;
  /** Absolute path. Contains the embedded database and the generated vault key. */
  readonly dataDir: string;
  /** PostgreSQL; null for the embedded database. */
  readonly databaseUrl: string | null;
  /** Redis URL for wake-ups; null for timers in this process. */
  readonly redisUrl: string | null;
  /** `id:base64,…`; null to generate a key in the data directory. */
  readonly vaultKeys: string | null;
  /** Whether to use prepared statements; a pooler that shares connections may not support them. */
  readonly preparedStatements: boolean;
  readonly allowPrivateEndpoints: readonly string[];
  readonly logLevel: LogLevelName;
  /** Absent: sinks of type S3 have keys, and no role. */
  readonly aws?: AwsEnvironment;
}

/** Injection token of the environment. */
export const HOST_ENVIRONMENT = Symbol('host environment');

/** An invalid environment. Each problem says what is wrong and what to set. */
export class EnvironmentError extends Error {
  readonly code = 'environment_invalid';
  override readonly name = 'EnvironmentError';

  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

type Variables = Readonly<Record<string, string | undefined>>;
type Reader<T> = (text: string | undefined, report: (problem: string) => void) => T;

const READERS = {
  PORT: (text, report) => readPort(text, report) ?? 3000,
  BIND_ADDRESS: readAddress,
  METRICS_PORT: readPort,
  DATA_DIR: (text) => resolve(text ?? '.data'),
  DATABASE_URL: readUrl(['postgres:', 'postgresql:'], 'postgres://user:password@host:5432/database'),
  REDIS_URL: readUrl(['redis:', 'rediss:'], 'redis://host:6379'),
  VAULT_KEYS: readVaultKeys,
  PREPARED_STATEMENTS: readSwitch,
  ALLOW_PRIVATE_ENDPOINTS: readNetworks,
  LOG_LEVEL: readLogLevel,
} satisfies Record<string, Reader<unknown>>;

const NAMES: readonly string[] = [...Object.keys(READERS), ...AWS_NAMES];

/**
 * Reads the variables listed in docs/reference-host.md. An empty variable counts as absent. Problems never contain
 * values of secrets.
 * @throws {EnvironmentError} with all problems at once
 */
export function parseEnvironment(variables: Variables): HostEnvironment {
  const problems = misspeltNames(variables);
  const read = <T>(name: keyof typeof READERS, reader: Reader<T>): T =>
    reader(variables[name]?.trim() || undefined, (problem) => problems.push(`${name} ${problem}`));

  const aws = readAws(variables, (problem) => problems.push(problem));
  const environment: HostEnvironment = {
    port: read('PORT', READERS.PORT),
    bind: read('BIND_ADDRESS', READERS.BIND_ADDRESS),
    metricsPort: read('METRICS_PORT', READERS.METRICS_PORT),
    dataDir: read('DATA_DIR', READERS.DATA_DIR),
    databaseUrl: read('DATABASE_URL', READERS.DATABASE_URL),
    redisUrl: read('REDIS_URL', READERS.REDIS_URL),
    vaultKeys: read('VAULT_KEYS', READERS.VAULT_KEYS),
    preparedStatements: read('PREPARED_STATEMENTS', READERS.PREPARED_STATEMENTS),
    allowPrivateEndpoints: read('ALLOW_PRIVATE_ENDPOINTS', READERS.ALLOW_PRIVATE_ENDPOINTS),
    logLevel: read('LOG_LEVEL', READERS.LOG_LEVEL),
    ...(aws && { aws }),
  };
  if (environment.databaseUrl !== null && !variables['VAULT_KEYS']?.trim()) {
    problems.push(
      'VAULT_KEYS is required beside DATABASE_URL: a key generated on this machine would be lost with it, and every ' +
        'secret with the key. Set it to an id and 32 random bytes: VAULT_KEYS="k1:$(openssl rand -base64 32)"',
    );
  }
  if (problems.length > 0) throw new EnvironmentError(problems);
  return environment;
}

/**
 * A misspelt `DATABASE_URL` would silently start an empty embedded database. So variables with names close to ours stop
 * the boot: one letter off, or two for names of more than five letters.
 */
function misspeltNames(variables: Variables): string[] {
  return Object.keys(variables).flatMap((name) => {
    if (NAMES.includes(name) || !variables[name]) return [];
    const meant = NAMES.find((known) => editDistance(name.toUpperCase(), known) <= (known.length > 5 ? 2 : 1));
    return meant ? [`${name} is not a variable of this host; did you mean ${meant}? Rename or unset it`] : [];
  });
}

/** A name would be resolved to whatever it leads to then. */
function readAddress(text: string | undefined, report: (problem: string) => void): string | null {
  if (text !== undefined && isIP(text) === 0) report(`is "${text}"; set an address such as 127.0.0.1, 0.0.0.0 or ::`);
  return text ?? null;
}

function readPort(text: string | undefined, report: (problem: string) => void): number | null {
  if (text === undefined) return null;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) report(`is "${text}"; set a number from 0 (any free port) to 65535`);
  return port;
}

function readUrl(protocols: readonly string[], example: string): Reader<string | null> {
  return (text, report) => {
    if (text === undefined) return null;
    const url = URL.canParse(text) ? new URL(text) : null;
    // The value is not repeated: it may contain a password.
    if (!url || !protocols.includes(url.protocol) || url.hostname === '') report(`is not a URL such as ${example}`);
    return text;
  };
}

function readVaultKeys(text: string | undefined, report: (problem: string) => void): string | null {
  if (text === undefined) return null;
  const ids = new Set<string>();
  for (const [index, entry] of text.split(',').entries()) {
    const [, id, key] = /^\s*([A-Za-z0-9._-]{1,64}):([A-Za-z0-9+/]{43}=?)\s*$/.exec(entry) ?? [];
    if (id === undefined || key === undefined || Buffer.from(key, 'base64').length !== 32) {
      report(`entry ${index + 1} is not id:base64 of 32 bytes; make one with: echo "k1:$(openssl rand -base64 32)"`);
    } else if (ids.has(id)) {
      report(`names the key ${id} twice; give each key an id of its own`);
    } else {
      ids.add(id);
    }
  }
  return text;
}

function readSwitch(text: string | undefined, report: (problem: string) => void): boolean {
  if (text !== undefined && text !== 'on' && text !== 'off') report(`is "${text}"; set on or off`);
  return text !== 'off';
}

function readNetworks(text: string | undefined, report: (problem: string) => void): readonly string[] {
  const networks = (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  for (const network of networks) {
    if (!isNetwork(network)) report(`holds "${network}"; set networks such as 127.0.0.0/8,::1/128`);
  }
  return networks;
}

function isNetwork(text: string): boolean {
  const [, address, bits] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIP(address ?? '');
  return family !== 0 && Number(bits) <= (family === 4 ? 32 : 128);
}

function readLogLevel(text: string | undefined, report: (problem: string) => void): LogLevelName {
  if (text === undefined) return 'log';
  const level = LOG_LEVELS.find((name) => name === text);
  if (!level) report(`is "${text}"; set one of ${LOG_LEVELS.join(', ')}`);
  return level ?? 'log';
}

/** Edit distance of two names: insertions, deletions, replacements and swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          at(i - 1, j) + 1,
          at(i, j - 1) + 1,
          at(i - 1, j - 1) + (same ? 0 : 1),
          swapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
  }
  return at(a.length, b.length);
}
