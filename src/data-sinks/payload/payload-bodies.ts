import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS } from '../data-sinks.tokens.js';
import type { ClaimedDelivery, StoredPayload } from '../domain/claimed-delivery.js';
import { keyText } from '../domain/key-text.js';
import { parseRecipe } from '../domain/body/payload-recipe.js';
import { decompress } from './chunk-compression.js';
import { type BodyWatch, PayloadBuilder } from './payload-builder.js';
import { PayloadCache } from './payload-cache.js';
import { PayloadCorruptError } from './payload-errors.js';
import type { PayloadKey } from './payload-key.js';
import type { UnstoredBody } from './whole-payload.sql.js';
import { PayloadStore } from './payload-store.js';
import { Telemetry } from '../telemetry/telemetry.js';

/** The body of a job, ready to be sent any number of times. */
export interface PayloadBody {
  readonly payload: StoredPayload;
  /** The bytes, when the body is small enough for memory. */
  readonly whole: Buffer | null;
  /** The watch that received all bytes during the build, or null. */
  readonly watchedBy: BodyWatch | null;
  /** The same bytes each time, as a stream. */
  open(): AsyncIterable<Buffer>;
}

/** The body of a delivery, as it was found or made. */
export interface ObtainedBody extends PayloadBody {
  /** To be stored with the attempt that is the first to send it; null once it is stored. */
  readonly unstored: UnstoredBody | null;
}

/** Chunks fetched per statement; the next ones are fetched while these are used. */
const CHUNKS_AT_ONCE = 2;

const REMEMBERED = 1_000;

/** Identifies a body, with the facts that it begins with. */
export type BodyRequest = Pick<
  ClaimedDelivery,
  'jobId' | 'run' | 'recipe' | 'payload' | 'agentId' | 'workspaceId' | 'completedAt' | 'stats'
>;

/** Finds or builds the body of a delivery. */
@Injectable()
export class PayloadBodies {
  readonly #cache: PayloadCache;
  /** Bodies being built or read in this process: ten sinks that need the same one share one build. */
  readonly #underWay = new Map<string, Promise<ObtainedBody>>();
  /** Made and not stored yet: ten sinks that want the same one send the same bytes. */
  readonly #unstored = new Map<string, ObtainedBody>();
  /** Of which bodies were made lately. A delivery that was claimed before its body was made does not know of it. */
  readonly #lately = new Set<string>();

  constructor(
    private readonly builder: PayloadBuilder,
    private readonly store: PayloadStore,
    @Inject(OPTIONS) { payloadCacheBytes }: ResolvedDataSinksOptions,
    private readonly telemetry: Telemetry,
  ) {
    this.#cache = new PayloadCache(payloadCacheBytes);
  }

  /** @param watch receives the bytes if a large body is built for this delivery */
  obtain(delivery: BodyRequest, watch: BodyWatch | null = null): Promise<ObtainedBody> {
    const name = nameOf(delivery);
    const known = this.#underWay.get(name);
    if (known) return known;
    const unstored = this.#unstored.get(name);
    if (unstored && !delivery.payload) return Promise.resolve(unstored);
    const body = this.#find(name, delivery, watch).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, body);
    return body;
  }

  /**
   * A body that was made here is stored by now, or will not be: its attempt could not be opened, or another process has
   * stored the same body before, in bytes of its own. The next reader asks the store.
   */
  settle({ unstored }: ObtainedBody): void {
    if (!unstored) return;
    const name = nameOf(unstored.key);
    if (this.#unstored.get(name)?.unstored === unstored) this.#unstored.delete(name);
    this.#remember(name);
  }

  /** A body as it is stored now, or null: nothing is made, and nothing of it is kept in memory. */
  async stored(key: PayloadKey): Promise<Pick<PayloadBody, 'payload' | 'open'> | null> {
    const payload = await this.store.find(key);
    return payload && { payload, open: () => this.#stream(payload, key.recipe) };
  }

  async #find(name: string, delivery: BodyRequest, watch: BodyWatch | null): Promise<ObtainedBody> {
    const stored = delivery.payload ?? (await this.#madeLately(name, delivery));
    const { payload, whole, watchedBy, unstored } = stored
      ? { payload: stored, whole: null, watchedBy: null, unstored: null }
      : await this.builder.build(delivery, delivery, watch);
    if (!stored) {
      this.telemetry.built(payload.bytes);
      this.#remember(name);
    }
    if (whole) this.#cache.put(payload.bodyId, whole);
    const body = {
      ...{ payload, watchedBy, unstored },
      whole: whole ?? (await this.#wholeFromStore(payload, delivery.recipe)),
      open: () => (whole && unstored ? only(whole) : this.#stream(payload, delivery.recipe)),
    };
    if (unstored) this.#keepUnstored(name, body);
    return body;
  }

  /** Each goes with its attempt, in a moment; one whose attempt was cut off is pushed out. */
  #keepUnstored(name: string, body: ObtainedBody): void {
    this.#unstored.set(name, body);
    const [oldest] = this.#unstored.keys();
    if (this.#unstored.size > REMEMBERED && oldest !== undefined) this.#unstored.delete(oldest);
  }

  /** Queries the store even so: any process may have erased or expired the body since. */
  async #madeLately(name: string, key: BodyRequest): Promise<StoredPayload | null> {
    return this.#lately.has(name) ? this.store.find(key) : null;
  }

  /** Empties the memory cache. */
  forgetAll(): void {
    this.#cache.clear();
    this.#unstored.clear();
  }

  #remember(name: string): void {
    this.#lately.add(name);
    for (const oldest of this.#lately) {
      if (this.#lately.size <= REMEMBERED) break;
      this.#lately.delete(oldest);
    }
  }

  async #wholeFromStore(payload: StoredPayload, recipe: string): Promise<Buffer | null> {
    if (!this.#cache.fits(payload.bytes)) return null;
    const cached = this.#cache.get(payload.bodyId);
    this.telemetry.lookedUp(cached ? 'hit' : 'miss');
    if (cached) return cached;
    const chunks: Buffer[] = [];
    for await (const chunk of this.#stream(payload, recipe)) chunks.push(chunk);
    const whole = Buffer.concat(chunks, payload.bytes);
    this.#cache.put(payload.bodyId, whole);
    return whole;
  }

  async *#stream({ bodyId, bytes }: StoredPayload, recipe: string): AsyncGenerator<Buffer> {
    const body = parseRecipe(recipe);
    let sent = 0;
    for await (const chunk of this.#chunks(bodyId)) {
      const piece = await decompress(chunk, body);
      sent += piece.length;
      yield piece;
    }
    if (sent !== bytes)
      throw new PayloadCorruptError(`body ${bodyId} has ${sent} bytes stored instead of the recorded ${bytes}`);
  }

  async *#chunks(bodyId: string): AsyncGenerator<Buffer> {
    let next = this.store.readChunks(bodyId, 0, CHUNKS_AT_ONCE);
    for (let seq = CHUNKS_AT_ONCE; ; seq += CHUNKS_AT_ONCE) {
      const chunks = await next;
      const more = chunks.length === CHUNKS_AT_ONCE;
      if (more) {
        next = this.store.readChunks(bodyId, seq, CHUNKS_AT_ONCE);
        // If the reader stops early, nobody awaits this promise; its rejection must not count as unhandled.
        next.catch(() => undefined);
      }
      yield* chunks;
      if (!more) break;
    }
  }
}

async function* only(whole: Buffer): AsyncGenerator<Buffer> {
  yield whole;
}

function nameOf({ workspaceId, jobId, run, recipe }: PayloadKey): string {
  return keyText(workspaceId, jobId, run, recipe);
}
