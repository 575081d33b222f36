import type { AuthScheme } from '../data-sink.js';
import { basicScheme, bearerScheme } from './authorization-scheme.js';
import { hmacSha256Scheme } from './hmac-sha256-scheme.js';

/** What a scheme may use to authenticate one attempt. */
export interface SigningInput {
  readonly deliveryId: string;
  /** Seconds since 1970; fresh for every attempt. */
  readonly timestamp: number;
  readonly secret: string;
  /** The secret before, while a rotation's overlap lasts; only a signature can come twice. */
  readonly previousSecret: string | null;
  readonly username: string | null;
}

/** An HMAC-SHA256 over the body, for whoever reads its bytes. */
export interface BodyMac {
  readonly key: string | Uint8Array;
  /** What is hashed before the body. */
  readonly prefix: string;
}

/** How a push proves where it comes from (contract, section 6). */
export interface SignatureScheme {
  /** Whether the headers depend on the body. Where they do not, the pass over the body is spared. */
  readonly readsBody: boolean;
  /** Whether a push can prove itself with two secrets at once: signatures can, an `Authorization` header comes once. */
  readonly overlaps: boolean;
  /** What `headers` wants to be given of the body; none where they do not depend on it. */
  macs(input: SigningInput): readonly BodyMac[];
  /** @param digests of `macs`, in that order */
  headers(input: SigningInput, digests: readonly Buffer[]): Readonly<Record<string, string>>;
  /** Says why a secret cannot be used with this scheme, or null. */
  secretProblem(secret: string, username: string | null): string | null;
  /** Says why a secret that can be used had better be another one, or null. */
  secretWarning(secret: string): string | null;
}

const SCHEMES: Readonly<Record<AuthScheme, SignatureScheme>> = {
  HmacSha256: hmacSha256Scheme,
  Bearer: bearerScheme,
  Basic: basicScheme,
};

export function signatureScheme(scheme: AuthScheme): SignatureScheme {
  return SCHEMES[scheme];
}
