import { parseArgs } from 'node:util';
import type { ExpectedAuthorization } from '../authorization.js';

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** Empty: signatures are not checked. */
  readonly secrets: readonly string[];
  readonly authorization: ExpectedAuthorization | null;
  readonly toleranceSeconds: number | null;
  /** Used in order; the last one repeats. */
  readonly statuses: readonly number[];
  readonly slowMs: number;
  readonly json: boolean;
}

/** An invalid command line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const LISTEN_USAGE = `Usage: data-sinks listen [options]

A local receiver: verifies each push, shows it, counts its rows as they stream in, and fails when told to.

  --secret SECRET      the sink's HMAC secret; again for a second one during a rotation
                       (or DATA_SINKS_SECRET, which other users of the machine cannot read)
  --bearer TOKEN       expect "Authorization: Bearer TOKEN"
  --basic USER:PASS    expect "Authorization: Basic ..."
  --fail LIST          statuses to answer with, in turn; the last one stays: --fail 503,503,200
  --slow MS            wait before each answer
  --port PORT          0 takes a free one                                    (8787)
  --host ADDRESS       (127.0.0.1)
  --tolerance SECONDS  how old a signed time may be; "off" for any           (300)
  --json               one line of JSON per request, the first line {"listening":PORT}

A push that does not verify is answered with 401, one that cannot be read with 400.
`;

/** @throws UsageError */
export function parseListenOptions(args: readonly string[], env: NodeJS.ProcessEnv): ListenOptions {
  const { values } = parsed(args);
  const fromEnv = env['DATA_SINKS_SECRET'];
  const secrets = values.secret ?? (fromEnv === undefined ? [] : [fromEnv]);
  if (secrets.includes('')) throw new UsageError('the secret is empty');
  if (values.bearer !== undefined && values.basic !== undefined) {
    throw new UsageError('--bearer and --basic exclude each other');
  }
  return {
    host: values.host,
    port: integer('--port', values.port, 0, 65_535),
    secrets,
    authorization: authorization(values.bearer, values.basic),
    toleranceSeconds: values.tolerance === 'off' ? null : integer('--tolerance', values.tolerance, 0, 1_000_000_000),
    statuses: values.fail.split(',').map((status) => integer('--fail', status.trim(), 200, 599)),
    slowMs: integer('--slow', values.slow, 0, 3_600_000),
    json: values.json,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        secret: { type: 'string', multiple: true },
        bearer: { type: 'string' },
        basic: { type: 'string' },
        fail: { type: 'string', default: '200' },
        slow: { type: 'string', default: '0' },
        port: { type: 'string', default: '8787' },
        host: { type: 'string', default: '127.0.0.1' },
        tolerance: { type: 'string', default: '300' },
        json: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function authorization(bearer: string | undefined, basic: string | undefined): ExpectedAuthorization | null {
  if (bearer !== undefined) {
    if (bearer === '') throw new UsageError('--bearer is empty');
    return { bearer };
  }
  if (basic === undefined) return null;
  const colon = basic.indexOf(':');
  if (colon < 1 || colon === basic.length - 1) throw new UsageError('--basic takes USER:PASS');
  return { basic: { username: basic.slice(0, colon), password: basic.slice(colon + 1) } };
}

function integer(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max))
    throw new UsageError(`${name}: "${text}" is not a whole number from ${min} to ${max}`);
  return value;
}
