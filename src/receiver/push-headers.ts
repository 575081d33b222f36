import { PushVerificationError } from './push-verification-error.js';

/** A request's headers: Node's `request.headers`, a plain object in any case, or the Fetch API's `Headers`. */
export type PushHeaders =
  Readonly<Record<string, string | readonly string[] | undefined>> | { get(name: string): string | null | undefined };

/** All values of a header in order, by its lower-case name; matches any case. */
export type HeaderLookup = (lowerCaseName: string) => readonly string[];

export function headerLookup(headers: PushHeaders): HeaderLookup {
  if (hasGet(headers)) {
    return (name) => {
      const value = headers.get(name);
      return value === null || value === undefined ? [] : [value];
    };
  }
  const values = new Map<string, string[]>();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const known = values.get(name.toLowerCase()) ?? [];
    values.set(name.toLowerCase(), known.concat(value));
  }
  return (name) => values.get(name) ?? [];
}

/** The header's value, or null when missing. A duplicate header is refused: it would be unclear which one applies. */
export function singleHeader(lookup: HeaderLookup, name: string): string | null {
  const values = lookup(name.toLowerCase());
  if (values.length > 1) {
    throw new PushVerificationError('malformed_header', `The header ${name} occurs ${values.length} times.`, name);
  }
  return values[0]?.trim() ?? null;
}

function hasGet(headers: PushHeaders): headers is { get(name: string): string | null | undefined } {
  return typeof headers.get === 'function';
}
