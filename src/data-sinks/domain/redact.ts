import type { AuthScheme } from './data-sink.js';

/** Shorter secrets show no characters: the last four would reveal too much. */
export const MIN_HINTED_SECRET_LENGTH = 16;

/**
 * The hint shown for a secret: `****` and its last four characters, or null when it is too short. In a `user:password`
 * secret (`Basic` without a username) only the length of the password counts; otherwise a long user name would reveal
 * the end of a short password. In every other scheme a colon has no meaning.
 */
export function secretHint(
  secret: string,
  { authScheme, username }: { readonly authScheme: AuthScheme; readonly username: string | null },
): string | null {
  const isPair = authScheme === 'Basic' && username === null;
  const hidden = isPair ? secret.slice(secret.indexOf(':') + 1) : secret;
  return hidden.length >= MIN_HINTED_SECRET_LENGTH ? `****${hidden.slice(-4)}` : null;
}

/** Converts a response to text that PostgreSQL can store and a page can show: invalid UTF-8 and NUL become U+FFFD. */
export function printableExcerpt(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: false }).decode(bytes).replaceAll('\u0000', '\uFFFD');
}
