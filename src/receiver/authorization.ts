import { createHash, timingSafeEqual } from 'node:crypto';
import type { PushHeaders } from './push-headers.js';
import { headerLookup, singleHeader } from './push-headers.js';
import { PushVerificationError } from './push-verification-error.js';

/** The expected `Authorization` header of a sink with the scheme `Bearer` or `Basic`. */
export type ExpectedAuthorization =
  { readonly bearer: string } | { readonly basic: { readonly username: string; readonly password: string } };

/**
 * Checks the `Authorization` header of a sink that does not sign. It proves who sent the push, not that the body is
 * complete or recent: prefer `HmacSha256`.
 * @throws PushVerificationError `secret_missing` when the expected value is empty; `missing_header`, `malformed_header`
 *   or `unauthorized`
 */
export function checkAuthorization(headers: PushHeaders, expected: ExpectedAuthorization): void {
  const wanted = wantedHeader(expected);
  const came = singleHeader(headerLookup(headers), 'Authorization');
  if (came === null) {
    throw new PushVerificationError('missing_header', 'The header Authorization is missing.', 'Authorization');
  }
  // Compare digests: they have equal lengths, so timing reveals nothing about the expected length.
  if (!timingSafeEqual(sha256(came), sha256(wanted))) {
    throw new PushVerificationError('unauthorized', 'Authorization is not what this server expects.', 'Authorization');
  }
}

function wantedHeader(expected: ExpectedAuthorization): string {
  if ('bearer' in expected) return `Bearer ${given(expected.bearer)}`;
  const { username, password } = expected.basic;
  return `Basic ${Buffer.from(`${given(username)}:${given(password)}`, 'utf8').toString('base64')}`;
}

/** An unset variable would become the text "undefined", which anybody can send. */
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
