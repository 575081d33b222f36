import type { AuthScheme } from '../data-sink.js';
import { basicScheme, bearerScheme } from './authorization-scheme.js';
import { hmacSha256Scheme } from './hmac-sha256-scheme.js';
import type { SignatureScheme } from './signature-scheme.js';

const SCHEMES: Readonly<Record<AuthScheme, SignatureScheme>> = {
  HmacSha256: hmacSha256Scheme,
  Bearer: bearerScheme,
  Basic: basicScheme,
};

export function signatureScheme(scheme: AuthScheme): SignatureScheme {
  return SCHEMES[scheme];
}
