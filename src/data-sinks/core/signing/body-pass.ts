import { createHmac } from 'node:crypto';
import type { SignatureScheme, SigningInput } from './signature-scheme.js';

/** One pass over the body; `headers()` once after the last `update()`. */
export interface BodyPass {
  update(chunk: Uint8Array): void;
  headers(): Readonly<Record<string, string>>;
}

export function beginPass(scheme: SignatureScheme, input: SigningInput): BodyPass {
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
