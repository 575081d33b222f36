import { X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { ConfigurationError } from './core/errors.js';
import type { DataSinksOptions } from './data-sinks.options.js';
import type { PushDeadlines } from './egress/index.js';

/** Timers of Node wait no longer than 2^31 - 1 ms; one that should would be over at once. */
export const LONGEST_TIMER_MS = 2_147_483_647;

export interface NumberRule {
  readonly min: number;
  readonly max?: number;
}

/** @param given what is not null or undefined */
type Check = (name: string, given: unknown) => void;

/** All that are not whole numbers. Each is checked when it is given; a host in JavaScript has no compiler that does. */
export const OPTION_CHECKS = {
  // Never in the error: whatever is in a mistyped setting may be a key.
  vaultKeys: (name, given) => expect(typeof given === 'string', `${name} must be a text of id:base64 entries`),
  entitledPlans: listOf('plan names', isText),
  allowPrivateEndpoints: listOf("ranges of addresses such as '127.0.0.0/8'", isText),
  allowedPorts: listOf('ports from 1 to 65535', isPort),
  trustedCertificates: (name, given) => {
    listOf('PEM texts', isText)(name, given);
    (given as readonly string[]).forEach((text, i) => checkCertificates(`entry ${i + 1} of ${name}`, text));
  },
  resolver: oneOf('a function from a name to its addresses', (given) => typeof given === 'function'),
  deadlines: checkDeadlines,
  preparedStatements: oneOf('true or false', isBoolean),
  worker: oneOf('true or false', isBoolean),
  workerId: oneOf('a text that names this process', isText),
  retryWaitsMs: (name, given) =>
    expect(
      Array.isArray(given) && given.length > 0 && given.every((ms) => Number.isSafeInteger(ms) && ms >= 0),
      `${name} must be a list of milliseconds with at least one entry`,
    ),
  erasePayloadsOnSuccess: oneOf('true or false', isBoolean),
  meterProvider: oneOf('an OpenTelemetry MeterProvider', (given) => hasMethod(given, 'getMeter')),
  tracerProvider: oneOf('an OpenTelemetry TracerProvider', (given) => hasMethod(given, 'getTracer')),
} satisfies Partial<Record<keyof DataSinksOptions, Check>>;

/** @throws ConfigurationError when it is neither left out nor what the rule says */
export function checkNumber(name: string, given: unknown, { min, max }: NumberRule): void {
  if (given === undefined || given === null) return;
  const isWhole = Number.isSafeInteger(given) && (given as number) >= min;
  expect(isWhole, `${name} must be a whole number of at least ${min}, not ${shown(given)}`);
  expect(max === undefined || (given as number) <= max, `${name} must be at most ${max}, not ${shown(given)}`);
}

/**
 * A name that is mistyped would be left out in silence, and its default be in force.
 * @param where the names are given
 * @throws ConfigurationError that names the first that is unknown, and the known one that differs in its case alone
 */
export function refuseUnknown(where: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const meant = known.find((name) => name.toLowerCase() === unknown.toLowerCase());
  const instead = meant === undefined ? `It may have: ${known.join(', ')}` : `Did you mean ${meant}?`;
  throw new ConfigurationError(`${where} has nothing that is called ${unknown}. ${instead}`);
}

/** Its type tells that none is forgotten. */
const DEADLINES: Readonly<Record<keyof PushDeadlines, NumberRule>> = {
  dnsMs: { min: 1, max: LONGEST_TIMER_MS },
  connectMs: { min: 1, max: LONGEST_TIMER_MS },
  tlsMs: { min: 1, max: LONGEST_TIMER_MS },
  uploadIdleMs: { min: 1, max: LONGEST_TIMER_MS },
  responseHeadersMs: { min: 1, max: LONGEST_TIMER_MS },
  responseBodyMs: { min: 1, max: LONGEST_TIMER_MS },
};

function checkDeadlines(name: string, given: unknown): void {
  expect(typeof given === 'object' && !Array.isArray(given), `${name} must be an object, such as { connectMs: 10000 }`);
  const deadlines = given as Readonly<Record<string, unknown>>;
  refuseUnknown(name, deadlines, Object.keys(DEADLINES));
  for (const [phase, rule] of Object.entries(DEADLINES)) checkNumber(`${name}.${phase}`, deadlines[phase], rule);
}

const CERTIFICATE_BEGINS = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/**
 * TLS skips what it cannot read of a list of authorities, and every attempt then fails for good, as if the receiver's
 * certificate were wrong. One text may hold several certificates.
 */
function checkCertificates(what: string, text: string): void {
  const begins = [...text.matchAll(CERTIFICATE_BEGINS)].map(({ index }) => index);
  expect(begins.length > 0, `${what} is not a PEM certificate: give the text itself, and not the name of its file`);
  begins.forEach((begin, i) => {
    try {
      void new X509Certificate(text.slice(begin, begins[i + 1]));
    } catch {
      throw new ConfigurationError(
        `${what} has a certificate that cannot be read: give it whole, with its line breaks`,
      );
    }
  });
}

function listOf(what: string, isEntry: (entry: unknown) => boolean): Check {
  return (name, given) => {
    expect(Array.isArray(given), `${name} must be a list of ${what}, not ${shown(given)}`);
    const odd = (given as readonly unknown[]).find((entry) => !isEntry(entry));
    expect((given as readonly unknown[]).every(isEntry), `${name} must be a list of ${what}, without ${shown(odd)}`);
  };
}

function oneOf(what: string, is: (given: unknown) => boolean): Check {
  return (name, given) => expect(is(given), `${name} must be ${what}, not ${shown(given)}`);
}

function isText(given: unknown): boolean {
  return typeof given === 'string' && given.trim() !== '';
}

function isBoolean(given: unknown): boolean {
  return typeof given === 'boolean';
}

function isPort(given: unknown): boolean {
  return Number.isInteger(given) && (given as number) >= 1 && (given as number) <= 65_535;
}

function hasMethod(given: unknown, method: string): boolean {
  return typeof (given as Record<string, unknown> | null)?.[method] === 'function';
}

/** Its type alone when it is an object, which may hold anything. */
function shown(given: unknown): string {
  return inspect(given, { depth: -1 });
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new ConfigurationError(otherwise);
}
