import { createHash } from 'node:crypto';
import { startSigning } from '../../../src/data-sinks/domain/signing/body-signer.js';
import { hmacSha256Scheme } from '../../../src/data-sinks/domain/signing/hmac-sha256-scheme.js';

export const SECRET = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
export const OTHER_SECRET = 'another secret of enough length, for sure';
export const DELIVERY_ID = 'dlv_01J00000000000000000000001';
/** Seconds since 1970. */
export const SIGNED_AT = 1_779_712_496;
export const NOW = (): number => SIGNED_AT * 1000;

export interface SignedPush {
  readonly body: Buffer;
  readonly headers: Record<string, string>;
}

/** A push as the sending side makes it. */
export function signedPush(body: string | Uint8Array, secret = SECRET, timestamp = SIGNED_AT): SignedPush {
  const bytes = Buffer.from(body);
  const pass = startSigning(hmacSha256Scheme, {
    ...{ deliveryId: DELIVERY_ID, timestamp, secret },
    ...{ previousSecret: null, username: null },
  });
  pass.update(bytes);
  return {
    body: bytes,
    headers: {
      ...pass.headers(),
      'Content-Type': 'application/json',
      'Content-Length': String(bytes.length),
      'Content-Digest': `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`,
      'X-MT-Delivery-Id': DELIVERY_ID,
      'X-MT-Attempt': '2',
    },
  };
}

export const PAYLOAD = {
  jobId: 'job_01J00000000000000000000001',
  agentId: 'agt_01J00000000000000000000001',
  workspaceId: 'ws_01J00000000000000000000001',
  completedAt: '2026-05-25T12:34:56Z',
  stats: { total: 2, matched: 1, unmatched: 1 },
  results: [
    { partnerRowId: 'row_1', referenceHotelId: 'ref_1', matchMethod: 'STANDARD', matchConfidence: 0.5 },
    { partnerRowId: 'row_2 "{[é東🏨\\', referenceHotelId: null, matchMethod: null, matchConfidence: null },
  ],
};
