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
 * @throws PushVerificationError `missing_header`, `malformed_header` or `unauthorized`
 */
export function checkAuthorization(headers: PushHeaders, expected: ExpectedAuthorization): void {
  const given = singleHeader(headerLookup(headers), 'Authorization');
  if (given === null) {
    throw new PushVerificationError('missing_header', 'The header Authorization did not come.', 'Authorization');
  }
  const wanted =
    'bearer' in expected
      ? `Bearer ${expected.bearer}`
      : `Basic ${Buffer.from(`${expected.basic.username}:${expected.basic.password}`, 'utf8').toString('base64')}`;
  // Digests are of equal length, so that the comparison shows nothing of the length of what is expected.
  if (!timingSafeEqual(sha256(given), sha256(wanted))) {
    throw new PushVerificationError('unauthorized', 'Authorization is not what this server expects.', 'Authorization');
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
