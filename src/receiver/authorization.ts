import { createHash, timingSafeEqual } from 'node:crypto';
import type { PushHeaders } from './push-headers.js';
import { headerLookup, singleHeader } from './push-headers.js';
import { PushVerificationError } from './push-verification-error.js';

/** What the sink sends in `Authorization` when its scheme is `Bearer` or `Basic`. */
export type ExpectedAuthorization =
  { readonly bearer: string } | { readonly basic: { readonly username: string; readonly password: string } };

/**
 * Checks the `Authorization` of a sink that signs nothing. It proves who sent the push, not that the body is whole or
 * fresh: prefer `HmacSha256`.
 * @throws PushVerificationError `secret_missing` where what is expected is empty, whatever came; `missing_header`,
 *   `malformed_header` or `unauthorized`
 */
export function checkAuthorization(headers: PushHeaders, expected: ExpectedAuthorization): void {
  const wanted = wantedHeader(expected);
  const came = singleHeader(headerLookup(headers), 'Authorization');
  if (came === null) {
    throw new PushVerificationError('missing_header', 'The header Authorization did not come.', 'Authorization');
  }
  // Digests are of equal length, so that the comparison shows nothing of the length of what is expected.
  if (!timingSafeEqual(sha256(came), sha256(wanted))) {
    throw new PushVerificationError('unauthorized', 'Authorization is not what this server expects.', 'Authorization');
  }
}

function wantedHeader(expected: ExpectedAuthorization): string {
  if ('bearer' in expected) return `Bearer ${given(expected.bearer)}`;
  const { username, password } = expected.basic;
  return `Basic ${Buffer.from(`${given(username)}:${given(password)}`, 'utf8').toString('base64')}`;
}

/** A variable that was not set would otherwise be the text "undefined", which anybody can send. */
function given(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new PushVerificationError(
    'secret_missing',
    'The token, or the user or password, to expect is empty or not a string. Is the variable that should hold it set on this server?',
  );
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
