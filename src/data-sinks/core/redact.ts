import type { AuthScheme } from './data-sink.js';

/** Secrets shorter than this show no character at all: four of few would tell too much. */
export const MIN_HINTED_SECRET_LENGTH = 16;

/**
 * What may be shown of a secret: `****` and its last four characters, or null when it is too short for that. Of a pair
 * `user:password`, the secret of `Basic` without a username, only the password counts: with the user's name even a short one
 * would be long enough to be shown. Everywhere else a colon is a character as any.
 */
export function secretHint(
  secret: string,
  { authScheme, username }: { readonly authScheme: AuthScheme; readonly username: string | null },
): string | null {
  const isPair = authScheme === 'Basic' && username === null;
  const hidden = isPair ? secret.slice(secret.indexOf(':') + 1) : secret;
  return hidden.length >= MIN_HINTED_SECRET_LENGTH ? `****${hidden.slice(-4)}` : null;
}

/**
 * A receiver's answer as text that every store and every page can hold: bytes that are not UTF-8 and NUL (which
 * PostgreSQL's `text` refuses) become U+FFFD.
 */
export function printableExcerpt(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: false }).decode(bytes).replaceAll('\u0000', '\uFFFD');
}
