import { X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { ConfigurationError } from '../domain/errors.js';
import type { PushDeadlines } from '../egress/index.js';

/** @param given what is not null or undefined */
export type Check = (name: string, given: unknown) => void;

/** Node's timers wait at most 2^31 - 1 ms; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

// A host in JavaScript has no compiler that checks types.

export const flag = oneOf('true or false', (given) => typeof given === 'boolean');
export const resolver = oneOf('a function from a name to its addresses', (given) => typeof given === 'function');
export const meterProvider = oneOf('an OpenTelemetry MeterProvider', (given) => hasMethod(given, 'getMeter'));
export const tracerProvider = oneOf('an OpenTelemetry TracerProvider', (given) => hasMethod(given, 'getTracer'));
export const ports = listOf('ports from 1 to 65535', isPort);

export function text(what: string): Check {
  return oneOf(what, isText);
}

export function texts(what: string): Check {
  return listOf(what, isText);
}

export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): Check {
  return (name, given) => {
    const isWhole = Number.isSafeInteger(given) && (given as number) >= min;
    expect(isWhole, `${name} must be a whole number of at least ${min}, not ${shown(given)}`);
    expect((given as number) <= max, `${name} must be at most ${max}, not ${shown(given)}`);
  };
}

/** A timer's delay in milliseconds. */
export function timer(min: number): Check {
  return wholeNumber(min, LONGEST_TIMER_MS);
}

/** Never in an error message: any text in a mistyped setting may be a key. */
export const vaultKeys: Check = (name, given) =>
  expect(typeof given === 'string', `${name} must be a text of id:base64 entries`);

export const waits: Check = (name, given) =>
  expect(
    Array.isArray(given) && given.length > 0 && given.every((ms) => Number.isSafeInteger(ms) && ms >= 0),
    `${name} must be a list of milliseconds with at least one entry`,
  );

/** The type ensures that no option is forgotten. */
const DEADLINES: Readonly<Record<keyof PushDeadlines, Check>> = {
  dnsMs: timer(1),
  connectMs: timer(1),
  tlsMs: timer(1),
  uploadIdleMs: timer(1),
  responseHeadersMs: timer(1),
  responseBodyMs: timer(1),
};

export const deadlines: Check = (name, given) => {
  expect(typeof given === 'object' && !Array.isArray(given), `${name} must be an object, such as { connectMs: 10000 }`);
  const phases = given as Readonly<Record<string, unknown>>;
  refuseUnknown(name, phases, Object.keys(DEADLINES));
  for (const [phase, check] of Object.entries(DEADLINES)) {
    if (phases[phase] !== undefined && phases[phase] !== null) check(`${name}.${phase}`, phases[phase]);
  }
};

/**
 * An error code is appended: without a separator at its end, `https://docs.example/errors` would become
 * `…/errorsnot-found`.
 */
export const errorBase: Check = oneOf(
  "an https or http address that ends in '/', '#' or '=', such as 'https://docs.example/errors/'",
  (given) => typeof given === 'string' && /^https?:\/\/[^\s]+[/#=]$/.test(given) && URL.canParse(given),
);

export const certificates: Check = (name, given) => {
  texts('PEM texts')(name, given);
  (given as readonly string[]).forEach((pem, i) => checkCertificates(`entry ${i + 1} of ${name}`, pem));
};

/**
 * Without this check, a misspelt name would be ignored and the default used.
 * @param where the object that contains the names
 * @throws ConfigurationError naming the first unknown name, and a known one that differs only in case
 */
export function refuseUnknown(where: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const meant = known.find((name) => name.toLowerCase() === unknown.toLowerCase());
  const instead = meant === undefined ? `It may have: ${known.join(', ')}` : `Did you mean ${meant}?`;
  throw new ConfigurationError(`${where} has no option called ${unknown}. ${instead}`);
}

/** Options of earlier versions and their replacements. */
const REPLACED: Readonly<Record<string, string>> = {
  disableWithinMs:
    'disableAfterMs: a sink is disabled by `disableAfter` failures in a row, once the first is that many milliseconds old',
};

/**
 * An option whose meaning changed gets a new name, so that an old number is not reinterpreted.
 * @throws ConfigurationError naming the new option
 */
export function refuseReplaced(given: object): void {
  const old = Object.keys(given).find((name) => Object.hasOwn(REPLACED, name));
  if (old !== undefined) throw new ConfigurationError(`${old} was replaced by ${REPLACED[old]}`);
}

const CERTIFICATE_BEGINS = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/**
 * TLS ignores certificates that it cannot parse; every attempt would then fail as if the receiver's certificate were
 * invalid. One text may contain several certificates.
 */
function checkCertificates(what: string, pem: string): void {
  const begins = [...pem.matchAll(CERTIFICATE_BEGINS)].map(({ index }) => index);
  expect(begins.length > 0, `${what} is not a PEM certificate: give the text itself, and not the name of its file`);
  begins.forEach((begin, i) => {
    try {
      void new X509Certificate(pem.slice(begin, begins[i + 1]));
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

function isPort(given: unknown): boolean {
  return Number.isInteger(given) && (given as number) >= 1 && (given as number) <= 65_535;
}

function hasMethod(given: unknown, method: string): boolean {
  return typeof (given as Record<string, unknown> | null)?.[method] === 'function';
}

/** Only the type of an object, since it may contain anything. */
function shown(given: unknown): string {
  return inspect(given, { depth: -1 });
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new ConfigurationError(otherwise);
}
