import { readFileSync } from 'node:fs';
import type { PushVerificationErrorCode, SignatureForm } from '../../src/receiver/index.js';

/** One case of `signature-vectors.json`. */
export interface SignatureVector {
  readonly name: string;
  readonly form: SignatureForm;
  readonly secrets: readonly string[];
  /** Seconds since 1970. */
  readonly now: number;
  readonly toleranceSeconds: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBase64: string;
  readonly valid: boolean;
  /** What the kit says when it is not valid. */
  readonly code?: PushVerificationErrorCode;
  /** What the npm package `standardwebhooks` says where that differs. */
  readonly standardwebhooks?: boolean;
}

const file = JSON.parse(readFileSync(new URL('./signature-vectors.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly SignatureVector[];
};

export const SIGNATURE_VECTORS = file.cases;

export function bodyOf({ bodyBase64 }: SignatureVector): Buffer {
  return Buffer.from(bodyBase64, 'base64');
}
