import { createHash } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import type { PushExchange, PushRequest } from '../../../src/data-sinks/egress/push-exchange.js';
import type { Bucket } from '../../support/s3/store.js';
import { answered, failed } from './exchanges.js';
import type { Illness } from './week-plan.js';

/** The keys that a sink has now. */
export interface SinkKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A request to the bucket, and what there is to know of its sink. */
export interface BucketRequest {
  readonly sink: number;
  readonly request: PushRequest;
  readonly keys: SinkKeys | null;
  readonly illness: Illness | null;
  /** Nothing but a Test may be sent to it now. */
  readonly isClosed: boolean;
}

/** A delivery's object. */
interface Written {
  readonly deliveryId: string;
  readonly sha256: string;
  /** How often the store has made it. */
  made: number;
}

const BUCKET_HOST = 'week-results.s3.us-east-1.amazonaws.com';
/** What a store grants to a clock that is wrong. */
const SKEW_MS = 15 * 60_000;

/**
 * The bucket of all S3 sinks: a real store, which keeps conditions and bytes; before it what a customer's store may do, and
 * the judge of each request. The store's own clock does not stand still, so that requests are signed for it anew.
 */
export class Buckets {
  readonly #objects = new Map<string, Written>();
  readonly #accepted = new Set<string>();
  #madeUnheard = 0;
  #foundThere = 0;

  constructor(
    private readonly store: Bucket,
    private readonly violations: string[],
    private readonly nowMs: () => number,
  ) {}

  static configOf(sink: number): Record<string, unknown> {
    return { bucket: BUCKET_HOST.split('.')[0], region: 'us-east-1', prefix: prefixOf(sink) };
  }

  static has(url: string): boolean {
    return new URL(url).host === BUCKET_HOST;
  }

  hasAccepted(deliveryId: string): boolean {
    return this.#accepted.has(deliveryId);
  }

  /** How many objects there are, how many of them were made and not told of, and how many the module found there later. */
  counts(): Readonly<Record<'objects' | 'madeUnheard' | 'foundThere', number>> {
    const objects = [...this.#objects.values()].filter(({ made }) => made > 0).length;
    return { objects, madeUnheard: this.#madeUnheard, foundThere: this.#foundThere };
  }

  /** What the store has for a sink is what was made for it: each once, and nothing of a Test. */
  async check(sink: number): Promise<void> {
    const there = await this.store.keysOf(prefixOf(sink));
    const made = [...this.#objects].filter(([key, object]) => key.startsWith(prefixOf(sink)) && object.made > 0);
    if (JSON.stringify(there) !== JSON.stringify(made.map(([key]) => key).sort()))
      this.violations.push(`the sink ${sink} has other objects than were made: ${there.join(', ')}`);
    for (const [key, object] of made) if (object.made > 1) this.violations.push(`${key} was made ${object.made} times`);
  }

  async post(asked: BucketRequest): Promise<PushExchange> {
    const { sink, request, illness } = asked;
    const key = decodeURIComponent(new URL(request.url).pathname.slice(1));
    if (!key.startsWith(prefixOf(sink))) this.violations.push(`${key} is outside of the prefix of the sink ${sink}`);
    await this.#judgeKeys(asked, key);
    const written = this.#remember(asked, key);
    if (illness !== null && illness !== 'does not answer') return sick(illness);
    const { status, headers, text } = await this.#ask(request, key);
    const isMade = written !== null && request.method === 'PUT' && status === 200;
    if (isMade) written.made += 1;
    if (illness !== null) {
      // It has done what it was asked, and nobody hears of it.
      if (isMade) this.#madeUnheard += 1;
      return failed('response_timeout');
    }
    if (written) this.#hear(written, request, status, headers);
    return answered(status, text, [...headers]);
  }

  /** Of a Test there is nothing to remember. */
  #remember({ sink, request, isClosed }: BucketRequest, key: string): Written | null {
    if (key.startsWith(`${prefixOf(sink)}_test-`)) return null;
    const known = this.#objects.get(key);
    if (request.method !== 'PUT') return known ?? null;
    const deliveryId = request.headers['x-amz-meta-delivery-id'] ?? '';
    const sha256 = hashOf(request);
    if (isClosed) this.violations.push(`${deliveryId} was sent to the sink ${sink}, to which nothing may be sent`);
    if (request.headers['if-none-match'] !== '*') this.violations.push(`${key} was written without its condition`);
    const object = known ?? { deliveryId, sha256, made: 0 };
    if (object.deliveryId !== deliveryId) this.violations.push(`${key} is of two deliveries`);
    if (object.sha256 !== sha256) this.violations.push(`${deliveryId} brought other bytes`);
    this.#objects.set(key, object);
    return object;
  }

  #hear(written: Written, { method }: PushRequest, status: number, headers: Headers): void {
    const isThere = method === 'HEAD' && headers.get('x-amz-meta-sha256') === written.sha256;
    if (status !== 200 || (method !== 'PUT' && !isThere)) return;
    if (isThere && !this.#accepted.has(written.deliveryId)) this.#foundThere += 1;
    this.#accepted.add(written.deliveryId);
  }

  /** Signs it once more, as the store would: with the keys that the sink has now, at the time of the request. */
  async #judgeKeys({ sink, request, keys }: BucketRequest, key: string): Promise<void> {
    const { authorization, ...headers } = request.headers;
    const datetime = headers['x-amz-date'] ?? '';
    const signed = keys && (await new AwsV4Signer({ ...askOf(request), ...keys, headers, datetime }).sign());
    if (!signed || signed.headers.get('authorization') !== authorization)
      this.violations.push(`${key} was not signed with the keys of the sink ${sink}`);
    if (headers['x-amz-content-sha256'] !== hashOf(request)) this.violations.push(`${key} has a wrong hash`);
    const at = Date.parse(datetime.replace(/^(....)(..)(..T..)(..)/, '$1-$2-$3:$4:'));
    if (!(Math.abs(at - this.nowMs()) < SKEW_MS)) this.violations.push(`${key} was signed for ${datetime}`);
  }

  async #ask({ method = 'POST', headers, body }: PushRequest, key: string) {
    const { authorization: _, 'x-amz-date': _date, 'x-amz-content-sha256': _sha256, ...given } = headers;
    const answer = await this.store.request(method, key, given, method === 'PUT' ? body.whole : null);
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }
}

const prefixOf = (sink: number): string => `sink-${sink}/`;

function hashOf({ body }: PushRequest): string {
  if (!body.whole) throw new Error('the bodies of this week are small');
  return createHash('sha256').update(body.whole).digest('hex');
}

function askOf({ method = 'POST', url }: PushRequest) {
  return { method, url, service: 's3', region: 'us-east-1' };
}

function sick(illness: Exclude<Illness, 'does not answer'>): PushExchange {
  const error = (code: string): string => `<Error><Code>${code}</Code></Error>`;
  switch (illness) {
    case 'answers 503':
      return answered(503, error('SlowDown'));
    case 'refuses connections':
      return failed('connection_refused');
    case 'answers 401':
      return answered(403, error('InvalidAccessKeyId'));
    case 'answers 410':
      return answered(404, error('NoSuchBucket'));
  }
}
