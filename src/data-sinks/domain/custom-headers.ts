import type { RuleViolation } from './data-sink-rules.js';

/**
 * A header that the customer adds to every push. A list, not an object, so that a header named `__proto__` is harmless.
 */
export interface CustomHeader {
  readonly name: string;
  readonly value: string;
}

export const MAX_CUSTOM_HEADERS = 20;
export const MAX_CUSTOM_HEADER_NAME_LENGTH = 128;
export const MAX_CUSTOM_HEADER_VALUE_LENGTH = 4096;

/**
 * Headers that affect framing, routing or trust, or that we set. Written as `comparableName()` returns them, also
 * below: the first is `__proto__`.
 */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  '--proto--',
  'accept-encoding',
  'authorization',
  'connection',
  'cookie',
  'cookie2',
  'date',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);

const RESERVED_PREFIXES = ['content-', 'proxy-', 'x-forwarded-', 'x-mt-', 'webhook-'] as const;

/**
 * The form in which two header names are compared. CGI, FastCGI, WSGI and PHP turn header names into variables (RFC
 * 3875, 4.1.18) in which `_` and `-` are the same; some servers (lighttpd, older Apache) also replace every other
 * character that is not a letter or digit. `X_MT_Signature` reaches them as `X-MT-Signature`.
 */
export function comparableName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
}

function isReserved(name: string): boolean {
  const comparable = comparableName(name);
  return RESERVED_NAMES.has(comparable) || RESERVED_PREFIXES.some((prefix) => comparable.startsWith(prefix));
}

/**
 * The custom headers of a push. They are checked again before sending: the sink may have been saved under older rules.
 * @param ours names that are already set; they are not overridden
 */
export function headersToSend(custom: readonly CustomHeader[], ours: Iterable<string>): readonly CustomHeader[] {
  const taken = new Set(Array.from(ours, comparableName));
  return custom.filter(({ name }) => {
    const comparable = comparableName(name);
    if (isReserved(name) || taken.has(comparable)) return false;
    taken.add(comparable);
    return true;
  });
}

/** `token` of RFC 9110, 5.6.2. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Printable ASCII. Receivers strip spaces at either end, so these are refused. */
const VALUE = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/;

/**
 * Validates a list of custom headers; pointers are relative to the list. Checked when a sink is saved, because a header
 * that the HTTP client rejects would make every push fail.
 */
export function validateCustomHeaders(list: readonly CustomHeader[]): readonly RuleViolation[] {
  if (list.length > MAX_CUSTOM_HEADERS) {
    return [{ pointer: '', detail: `must have at most ${MAX_CUSTOM_HEADERS} headers` }];
  }
  const seen = new Set<string>();
  return list.flatMap(({ name, value }, index) => {
    const violations: RuleViolation[] = [];
    const nameProblem = problemOfName(name, seen);
    if (nameProblem) violations.push({ pointer: `/${index}/name`, detail: nameProblem });
    const valueProblem = problemOfValue(value);
    if (valueProblem) violations.push({ pointer: `/${index}/value`, detail: valueProblem });
    seen.add(comparableName(name));
    return violations;
  });
}

function problemOfName(name: string, seen: ReadonlySet<string>): string | null {
  if (name.length > MAX_CUSTOM_HEADER_NAME_LENGTH) {
    return `must be at most ${MAX_CUSTOM_HEADER_NAME_LENGTH} characters long`;
  }
  if (!NAME.test(name)) return 'must be a header name: letters, digits and hyphens';
  const lower = name.toLowerCase();
  const read = comparableName(name) === lower ? '' : `: many servers treat it as ${comparableName(name)}`;
  if (isReserved(name)) return `${lower} is reserved${read}`;
  return seen.has(comparableName(name)) ? `${lower} is given twice${read}` : null;
}

function problemOfValue(value: string): string | null {
  if (value.length > MAX_CUSTOM_HEADER_VALUE_LENGTH) {
    return `must be at most ${MAX_CUSTOM_HEADER_VALUE_LENGTH} characters long`;
  }
  return VALUE.test(value) ? null : 'must be printable ASCII without a space at either end';
}
