import type { PushHeaders } from '../push-headers.js';
import { headerLookup } from '../push-headers.js';
import type { PushProof, PushSecrets, VerificationRules } from '../push-verifier.js';
import { createPushVerifier, usableSecrets } from '../push-verifier.js';
import type { PushRequest } from './raw-body.js';
import { bodyTooLarge, collectRawBody } from './raw-body.js';

/** A function if secrets are fetched, or change while the server runs. */
export type SecretSource = PushSecrets | { readonly secrets: () => readonly string[] | Promise<readonly string[]> };

export type ReceiveOptions = SecretSource &
  VerificationRules & {
    /**
     * Maximum body size; larger ones are refused with 413. The body is kept in memory: for very large ones use
     * `PushVerifierStream` and `PayloadReader` instead.
     * @default 32 MiB, about 100,000 rows
     */
    readonly limitBytes?: number;
  };

/** A verified push and its bytes. */
export interface ReceivedPush extends PushProof {
  readonly rawBody: Buffer;
}

const RECEIVED = Symbol('the verified push of this request');
export const DEFAULT_LIMIT_BYTES = 32 * 1024 * 1024;

/**
 * Reads a request's raw body, or takes it from the framework, and verifies it. The headers are checked before the body
 * is read.
 * @throws PushVerificationError
 */
export async function receivePush(request: PushRequest, options: ReceiveOptions): Promise<ReceivedPush> {
  const { headers } = request;
  const limitBytes = options.limitBytes ?? DEFAULT_LIMIT_BYTES;
  const verifier = createPushVerifier({ ...rulesOf(options), headers, ...(await secretsOf(options)) });
  checkAnnouncedSize(headers, limitBytes);
  const rawBody = await collectRawBody(request, limitBytes);
  verifier.update(rawBody);
  const push = { ...verifier.verify(), rawBody };
  Object.defineProperty(request, RECEIVED, { value: push, configurable: true });
  return push;
}

/**
 * The verified push of a request that passed `expressPush`, `fastifyPush` or `VerifiedPush`.
 * @throws when none of them precedes this route
 */
export function pushOf(request: object): ReceivedPush {
  const push = (request as { [RECEIVED]?: ReceivedPush })[RECEIVED];
  if (push === undefined) throw new Error('no verified push: install the verification before this route');
  return push;
}

/** Fails at startup when a fixed secret is empty, instead of refusing every push later. */
export function checkReceiveOptions(options: ReceiveOptions): void {
  if (typeof options.secrets !== 'function') usableSecrets(options as PushSecrets);
}

function rulesOf({ form, toleranceSeconds, now }: VerificationRules): VerificationRules {
  return { form, toleranceSeconds, now };
}

async function secretsOf(options: ReceiveOptions): Promise<PushSecrets> {
  if (typeof options.secrets === 'function') return { secrets: await options.secrets() };
  return options.secrets === undefined ? { secret: options.secret } : { secrets: options.secrets };
}

function checkAnnouncedSize(headers: PushHeaders, limitBytes: number): void {
  const announced = Number(headerLookup(headers)('content-length')[0] ?? 0);
  if (announced > limitBytes) throw bodyTooLarge(limitBytes);
}
