import { PushVerificationError } from './push-verification-error.js';

/**
 * A request's headers, as Node (`request.headers`), a plain object in any case, or the Fetch API (`Headers`) give them.
 */
export type PushHeaders =
  Readonly<Record<string, string | readonly string[] | undefined>> | { get(name: string): string | null | undefined };

/** Looks a header up by its lower-case name, whatever the case it came in. All its values, in order. */
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

/** The header's value, or null when it did not come. A header that came twice is refused: which one would count? */
export function singleHeader(lookup: HeaderLookup, name: string): string | null {
  const values = lookup(name.toLowerCase());
  if (values.length > 1) {
    throw new PushVerificationError('malformed_header', `The header ${name} came ${values.length} times.`, name);
  }
  return values[0]?.trim() ?? null;
}

function hasGet(headers: PushHeaders): headers is { get(name: string): string | null | undefined } {
  return typeof headers.get === 'function';
}
