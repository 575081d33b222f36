import type { ClaimedDelivery, StoredPayload } from '../core/claimed-delivery.js';
import { parseRecipe } from '../core/payload-recipe.js';
import { decompress } from './chunk-compression.js';
import type { BodyWatch, PayloadBuilder } from './payload-builder.js';
import { PayloadCache } from './payload-cache.js';
import { PayloadCorruptError } from './payload-errors.js';
import type { PayloadKey, PayloadStore } from './payload-store.js';

/** The body of a job, ready to be sent any number of times. */
export interface PayloadBody {
  readonly payload: StoredPayload;
  /** The bytes, when the body is small enough to be kept in memory. */
  readonly whole: Buffer | null;
  /** Who was given all of its bytes while it was made; null when nobody was. */
  readonly watchedBy: BodyWatch | null;
  /** The same bytes each time, as a stream. */
  open(): AsyncIterable<Buffer>;
}

/** Chunks fetched by one statement; the next ones are on their way while these are being used. */
const CHUNKS_AT_ONCE = 2;

const REMEMBERED = 1_000;

/** Which body, and the facts it begins with. */
export type BodyRequest = Pick<
  ClaimedDelivery,
  'jobId' | 'run' | 'recipe' | 'payload' | 'agentId' | 'workspaceId' | 'completedAt' | 'stats'
>;

/** Counts bodies made and looked for. */
export interface PayloadMeter {
  built(bytes: number): void;
  lookedUp(result: 'hit' | 'miss'): void;
}

const UNMEASURED: PayloadMeter = { built: () => undefined, lookedUp: () => undefined };

/** Finds or makes the body of a delivery. */
export class PayloadBodies {
  readonly #builder: PayloadBuilder;
  readonly #store: PayloadStore;
  readonly #cache: PayloadCache;
  readonly #meter: PayloadMeter;
  /** Bodies being made or read in this process: ten sinks that want the same one wait for one build. */
  readonly #underWay = new Map<string, Promise<PayloadBody>>();
  /** Of which bodies were made lately. A delivery that was claimed before its body was made does not know of it. */
  readonly #lately = new Set<string>();

  constructor(builder: PayloadBuilder, store: PayloadStore, cacheBytes: number, meter: PayloadMeter = UNMEASURED) {
    this.#meter = meter;
    this.#builder = builder;
    this.#store = store;
    this.#cache = new PayloadCache(cacheBytes);
  }

  /** @param watch is given the bytes if the body is a large one that is made for this delivery */
  obtain(delivery: BodyRequest, watch: BodyWatch | null = null): Promise<PayloadBody> {
    const name = `${delivery.jobId}/${delivery.run}/${delivery.recipe}`;
    const known = this.#underWay.get(name);
    if (known) return known;
    const body = this.#find(name, delivery, watch).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, body);
    return body;
  }

  /** A body as it is stored now, or null: nothing is made, and nothing of it is kept in memory. */
  async stored(key: PayloadKey): Promise<Pick<PayloadBody, 'payload' | 'open'> | null> {
    const payload = await this.#store.find(key);
    return payload && { payload, open: () => this.#stream(payload, key.recipe) };
  }

  async #find(name: string, delivery: BodyRequest, watch: BodyWatch | null): Promise<PayloadBody> {
    const stored = delivery.payload ?? (await this.#madeLately(name, delivery));
    const { payload, whole, watchedBy } = stored
      ? { payload: stored, whole: null, watchedBy: null }
      : await this.#builder.build(delivery, delivery, watch);
    if (!stored) {
      this.#meter.built(payload.bytes);
      this.#remember(name);
    }
    if (whole) this.#cache.put(payload.bodyId, whole);
    return {
      ...{ payload, watchedBy },
      whole: whole ?? (await this.#wholeFromStore(payload, delivery.recipe)),
      open: () => this.#stream(payload, delivery.recipe),
    };
  }

  /** The store is asked all the same: the body may have expired or been erased since, by whichever process. */
  async #madeLately(name: string, key: BodyRequest): Promise<StoredPayload | null> {
    return this.#lately.has(name) ? this.#store.find(key) : null;
  }

  /** Drops what is kept in memory. */
  forgetAll(): void {
    this.#cache.clear();
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
    this.#meter.lookedUp(cached ? 'hit' : 'miss');
    if (cached) return cached;
    const chunks: Buffer[] = [];
    for await (const chunk of this.#stream(payload, recipe)) chunks.push(chunk);
    const whole = Buffer.concat(chunks, payload.bytes);
    this.#cache.put(payload.bodyId, whole);
    return whole;
  }

  async *#stream({ bodyId, bytes }: StoredPayload, recipe: string): AsyncGenerator<Buffer> {
    const { compression } = parseRecipe(recipe);
    let sent = 0;
    for await (const chunk of this.#chunks(bodyId)) {
      const piece = await decompress(chunk, compression);
      sent += piece.length;
      yield piece;
    }
    if (sent !== bytes) throw new PayloadCorruptError(`body ${bodyId} has ${sent} bytes stored, ${bytes} on record`);
  }

  async *#chunks(bodyId: string): AsyncGenerator<Buffer> {
    let next = this.#store.readChunks(bodyId, 0, CHUNKS_AT_ONCE);
    for (let seq = CHUNKS_AT_ONCE; ; seq += CHUNKS_AT_ONCE) {
      const chunks = await next;
      const more = chunks.length === CHUNKS_AT_ONCE;
      if (more) {
        next = this.#store.readChunks(bodyId, seq, CHUNKS_AT_ONCE);
        // Whoever stops reading early leaves this promise behind; its failure is nobody's.
        next.catch(() => undefined);
      }
      yield* chunks;
      if (!more) break;
    }
  }
}
