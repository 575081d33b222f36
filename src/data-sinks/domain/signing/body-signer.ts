import { createHmac } from 'node:crypto';
import type { SignatureScheme, SigningInput } from './signature-scheme.js';

/** Signs a body as it streams. Call `headers()` once, after the last `update()`. */
export interface BodySigner {
  update(chunk: Uint8Array): void;
  headers(): Readonly<Record<string, string>>;
}

export function startSigning(scheme: SignatureScheme, input: SigningInput): BodySigner {
  const hmacs = scheme.macs(input).map(({ key, prefix }) => createHmac('sha256', key).update(prefix));
  return {
    update(chunk) {
      for (const hmac of hmacs) hmac.update(chunk);
    },
    headers() {
      return scheme.headers(
        input,
        hmacs.map((hmac) => hmac.digest()),
      );
    },
  };
}
