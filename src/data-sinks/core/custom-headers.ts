import type { RuleViolation } from './rules.js';

/** A header that the customer wants with every push. A list, not an object, so that no name can be `__proto__`. */
export interface CustomHeader {
  readonly name: string;
  readonly value: string;
}

export const MAX_CUSTOM_HEADERS = 20;
export const MAX_CUSTOM_HEADER_NAME_LENGTH = 128;
export const MAX_CUSTOM_HEADER_VALUE_LENGTH = 4096;

/** Names that would change how the message is framed, routed or trusted, or that we set ourselves. */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  '__proto__',
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

/** `token` of RFC 9110, 5.6.2. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Printable ASCII; a space at either end would not arrive, since receivers strip it. */
const VALUE = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/;

/**
 * Finds what is wrong with a list of custom headers; pointers are relative to the list. Checked when a sink is saved: a
 * header that the HTTP client refuses at sending would fail every push for ever.
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
    seen.add(name.toLowerCase());
    return violations;
  });
}

function problemOfName(name: string, seen: ReadonlySet<string>): string | null {
  if (name.length > MAX_CUSTOM_HEADER_NAME_LENGTH) {
    return `must be at most ${MAX_CUSTOM_HEADER_NAME_LENGTH} characters long`;
  }
  if (!NAME.test(name)) return 'must be a header name: letters, digits and hyphens';
  const lower = name.toLowerCase();
  if (RESERVED_NAMES.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix))) {
    return `${lower} is reserved`;
  }
  return seen.has(lower) ? `${lower} is given twice` : null;
}

function problemOfValue(value: string): string | null {
  if (value.length > MAX_CUSTOM_HEADER_VALUE_LENGTH) {
    return `must be at most ${MAX_CUSTOM_HEADER_VALUE_LENGTH} characters long`;
  }
  return VALUE.test(value) ? null : 'must be printable ASCII without a space at either end';
}
