import { createHash, createHmac } from 'node:crypto';
import type { EndpointVerdict, PushExchange, PushRequest } from '../../../src/data-sinks/egress/push-exchange.js';
import type { Bucket } from '../../support/s3/store.js';
import { Buckets } from './buckets.js';
import { answered, failed } from './exchanges.js';
import type { Illness, Outage, PlannedSink } from './week-plan.js';

/** What the receivers remember of a delivery. */
interface Seen {
  readonly sha256: string;
  lastAttempt: number;
  accepted: boolean;
}

interface Secret {
  readonly value: string;
  /** From then on it must not be used any more; null while it is the sink's own. */
  notAfterMs: number | null;
}

/** The receivers of all sinks, in the place of the client that would post to them. What they see and must not is kept. */
export class Receivers {
  readonly violations: string[] = [];
  /** Sinks to which nothing may be sent now but a Test; one that is made active again is taken out before. */
  closed = new Set<number>();
  posts = 0;
  readonly buckets: Buckets;
  readonly #seen = new Map<string, Seen>();
  readonly #secrets = new Map<number, Secret[]>();

  constructor(
    private readonly sinks: readonly PlannedSink[],
    private readonly sinceStartMs: () => number,
    store: Bucket,
    nowMs: () => number,
  ) {
    this.buckets = new Buckets(store, this.violations, nowMs);
  }

  static urlOf(sink: number): string {
    return `https://sink-${sink}.example.com/results`;
  }

  static accessKeyOf(sink: number): string {
    return `AKIASINK${sink}`;
  }

  /** Gives a sink a secret; the one before signs too for so long yet, and none but these two. */
  takeSecret(sink: number, value: string, overlapMs: number): void {
    const now = this.sinceStartMs();
    const secrets = this.#secrets.get(sink) ?? [];
    for (const secret of secrets) {
      secret.notAfterMs = secret.notAfterMs === null ? now + overlapMs : Math.min(secret.notAfterMs, now);
    }
    this.#secrets.set(sink, [...secrets, { value, notAfterMs: null }]);
  }

  illnessOf(sink: number): Illness | null {
    return this.outageOf(sink)?.illness ?? null;
  }

  outageOf(sink: number): Outage | null {
    const now = this.sinceStartMs();
    return this.sinks[sink]?.outages.find(({ fromMs, toMs }) => fromMs <= now && now < toMs) ?? null;
  }

  hasAccepted(deliveryId: string): boolean {
    return this.#seen.get(deliveryId)?.accepted ?? this.buckets.hasAccepted(deliveryId);
  }

  async post(request: PushRequest): Promise<PushExchange> {
    const sink = Number(/sink-(\d+)/.exec(request.url)?.[1]);
    if (Buckets.has(request.url)) return this.#toBucket(sink, request);
    const { whole } = request.body;
    if (!whole) throw new Error('the bodies of this week are small');
    this.posts += 1;
    const id = request.headers['X-MT-Delivery-Id'] ?? '';
    const isTest = id.endsWith('TEST');
    this.#judgeSecret(sink, id, request, whole);
    const seen = isTest ? null : this.#remember(sink, id, request, whole);
    const exchange = exchangeOf(this.illnessOf(sink));
    if (seen && exchange.answer?.httpStatus === 200) seen.accepted = true;
    return exchange;
  }

  async judge(): Promise<EndpointVerdict> {
    return { kind: 'fine' };
  }

  async close(): Promise<void> {}

  /** An attempt is one write, whatever it asks beside it. */
  #toBucket(sink: number, request: PushRequest): Promise<PushExchange> {
    if (request.method === 'PUT') this.posts += 1;
    const secret = this.#secrets.get(sink)?.at(-1);
    const keys = secret ? { accessKeyId: Receivers.accessKeyOf(sink), secretAccessKey: secret.value } : null;
    const [illness, isClosed] = [this.illnessOf(sink), this.closed.has(sink)];
    return this.buckets.post({ sink, request, keys, illness, isClosed });
  }

  #remember(sink: number, id: string, { headers }: PushRequest, whole: Uint8Array): Seen {
    if (this.closed.has(sink)) this.violations.push(`${id} was sent to the sink ${sink}, to which nothing may be sent`);
    const sha256 = createHash('sha256').update(whole).digest('base64');
    const attempt = Number(headers['X-MT-Attempt']);
    const seen = this.#seen.get(id) ?? { sha256, lastAttempt: 0, accepted: false };
    if (seen.sha256 !== sha256) this.violations.push(`${id} brought other bytes with attempt ${attempt}`);
    if (headers['Content-Digest'] !== `sha-256=:${sha256}:`) this.violations.push(`${id} has a wrong Content-Digest`);
    if (attempt <= seen.lastAttempt) this.violations.push(`${id}: attempt ${attempt} came after ${seen.lastAttempt}`);
    seen.lastAttempt = attempt;
    this.#seen.set(id, seen);
    return seen;
  }

  #judgeSecret(sink: number, id: string, { headers }: PushRequest, whole: Uint8Array): void {
    const proofs = [headers['X-MT-Signature'] ?? headers['Authorization'], headers['X-MT-Signature-Previous']];
    const used = proofs.map((proof) =>
      this.#secrets.get(sink)?.findLast(({ value }) => [hmacOf(value, whole), `Bearer ${value}`].includes(proof ?? '')),
    );
    const now = this.sinceStartMs();
    const [current, previous] = used;
    if (!current) this.violations.push(`${id} was proved by no secret of the sink ${sink}`);
    else if (current.notAfterMs !== null) this.violations.push(`${id} was proved by an old secret of the sink ${sink}`);
    if (proofs[1] !== undefined && !(previous?.notAfterMs && now < previous.notAfterMs)) {
      this.violations.push(`${id} was proved by a secret of the sink ${sink} past its overlap`);
    }
    const overlapping = this.#secrets.get(sink)?.find(({ notAfterMs }) => notAfterMs !== null && now < notAfterMs);
    if (overlapping && overlapping !== previous) {
      this.violations.push(`${id} was not proved by the secret of the sink ${sink} whose overlap lasts`);
    }
  }
}

function hmacOf(secret: string, whole: Uint8Array): string {
  return `sha256=${createHmac('sha256', secret).update(whole).digest('hex')}`;
}

function exchangeOf(illness: Illness | null): PushExchange {
  switch (illness) {
    case null:
      return answered(200);
    case 'answers 503':
      return answered(503);
    case 'answers 401':
      return answered(401);
    case 'answers 410':
      return answered(410);
    case 'refuses connections':
      return failed('connection_refused');
    case 'does not answer':
      return failed('response_timeout');
  }
}
