import { createHash } from 'node:crypto';
import type { StoredPayload } from '../core/claimed-delivery.js';
import { failpoint } from '../core/failpoint.js';
import type { IdFactory } from '../core/ids.js';
import type { PayloadFacts } from '../core/payload-layout.js';
import { isOfSeveral, parseRecipe, type PayloadRecipe } from '../core/payload-recipe.js';
import type { BodyMac } from '../core/signing/signature-scheme.js';
import type { MappingResults } from '../ports/mapping-results.js';
import { ahead } from './ahead.js';
import { type BodyChunk, bodyChunks } from './body-chunks.js';
import type { BodyDigests, BodyPress, PressedBody } from './body-press.js';
import { beingBuilt, BuildLease } from './build-lease.js';
import { chain } from './chain.js';
import { compress } from './chunk-compression.js';
import { PartsBuilder } from './parts-builder.js';
import { ResultsMissingError } from './payload-errors.js';
import type { PayloadKey, PayloadStore } from './payload-store.js';

/** Chunks of one body that are being compressed, and as many that are being written, at a time. */
const CHUNKS_UNDER_WAY = 3;

/** What is known of a body when all of its chunks are stored. */
type Pressed = Pick<StoredPayload, 'bytes' | 'rows'> & { readonly digests: BodyDigests };

/** A body just stored. `whole` is set when it is one chunk: whoever made it need not read it back. */
export interface BuiltPayload {
  readonly payload: StoredPayload;
  readonly whole: Buffer | null;
  /** Who was given the digests of all of its bytes; null when nobody was. */
  readonly watchedBy: BodyWatch | null;
}

/** Whoever wants HMACs of a large body while it is made, and be spared a pass of its own. */
export interface BodyWatch {
  /** @returns null when it wants none after all */
  begin(): Promise<readonly BodyMac[] | null>;
  /** @param digests of what `begin` asked for, once the body is whole */
  end(digests: readonly Buffer[]): void;
}

/** Makes the body of a job once: results → canonical bytes → compressed chunks and a SHA-256. */
export class PayloadBuilder {
  readonly #results: Pick<MappingResults, 'streamRows'>;
  readonly #store: PayloadStore;
  readonly #newId: IdFactory;
  readonly #press: BodyPress;
  readonly #parts: PartsBuilder;

  constructor(results: Pick<MappingResults, 'streamRows'>, store: PayloadStore, newId: IdFactory, press: BodyPress) {
    this.#results = results;
    this.#store = store;
    this.#newId = newId;
    this.#press = press;
    this.#parts = new PartsBuilder(results, store, newId, press);
  }

  /**
   * @param watch asked only when the body is a large one and is made here
   * @throws ResultsMissingError when the host no longer has the rows
   * @throws InvalidResultRowError when a row cannot be sent as it is
   * @throws PayloadBeingBuiltError while another worker makes the same body
   * @throws TooManyPartsError when the job would be pushed in more parts than there may be
   */
  async build(key: PayloadKey, facts: PayloadFacts, watch: BodyWatch | null = null): Promise<BuiltPayload> {
    const recipe = parseRecipe(key.recipe);
    if (isOfSeveral(recipe)) {
      // Whoever made the parts before this one was asked for made it too.
      const made = await this.#store.find(key);
      if (made) return { payload: made, whole: null, watchedBy: null };
      await this.#parts.build(key, recipe, facts);
      return this.#builtElsewhere(key);
    }
    const batches = await this.#results.streamRows(key);
    if (!batches) throw new ResultsMissingError(`the host has no results of job ${key.jobId}, run ${key.run}`);

    const chunks = bodyChunks(recipe, facts, batches);
    try {
      const [first, second] = [await chunks.next(), await chunks.next()];
      if (first.done) throw new Error('a body has at least one chunk');
      if (second.done) return await this.#storeWhole(key, recipe, first.value);
      return await this.#storeInChunks(key, recipe, chain([first.value, second.value], chunks), watch);
    } finally {
      // Also when another worker turns out to make it: the host's stream may hold a connection until it is closed.
      await chunks.return(undefined);
    }
  }

  /** Most bodies: one statement, no lease. When two workers make the same one, the first wins and both send its bytes. */
  async #storeWhole(
    key: PayloadKey,
    { compression }: PayloadRecipe,
    { bytes, rowsSoFar }: BodyChunk,
  ): Promise<BuiltPayload> {
    const payload: StoredPayload = {
      bodyId: this.#newId('payload'),
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
      rows: rowsSoFar,
    };
    const chunk = await compress(bytes, compression);
    if (await this.#store.insertWhole(key, payload, chunk)) return { payload, whole: bytes, watchedBy: null };
    return this.#builtElsewhere(key);
  }

  /** Large bodies: under a lease, so that only one worker reads a million rows. */
  async #storeInChunks(
    key: PayloadKey,
    { compression }: PayloadRecipe,
    chunks: AsyncIterable<BodyChunk>,
    watch: BodyWatch | null,
  ): Promise<BuiltPayload> {
    const bodyId = this.#newId('payload');
    if (!(await this.#store.beginBuild(key, bodyId))) return this.#builtElsewhere(key);
    const lease = new BuildLease(this.#store, key, bodyId);
    let macs: readonly BodyMac[] | null;
    let pressed: Pressed;
    try {
      // Others may wait for this body: what ails the one that would watch must not keep it from them.
      macs = watch && (await watch.begin().catch(() => null));
      const body = this.#press.begin(compression, macs ?? []);
      pressed = await this.#pressInto(key, bodyId, lease.whileHeld(chunks), body);
    } catch (error) {
      await this.#store.abandonBuild(key, bodyId);
      throw error;
    } finally {
      lease.stop();
    }
    const { digests, ...size } = pressed;
    const payload: StoredPayload = { bodyId, sha256: digests.sha256, ...size };
    if (!(await this.#store.finishBuild(key, payload))) {
      await this.#store.abandonBuild(key, bodyId);
      return this.#builtElsewhere(key);
    }
    if (macs) watch?.end(digests.macs);
    return { payload, whole: null, watchedBy: macs && watch };
  }

  async #pressInto(
    key: PayloadKey,
    bodyId: string,
    chunks: AsyncIterable<BodyChunk>,
    body: PressedBody,
  ): Promise<Pressed> {
    let bytes = 0;
    let rows = 0;
    let seq = 0;
    const pack = (chunk: BodyChunk) => {
      bytes += chunk.bytes.length;
      rows = chunk.rowsSoFar;
      return body.pack(chunk.bytes);
    };
    const append = (packed: Buffer) => this.#store.appendChunk(key, bodyId, seq++, packed);
    try {
      // Rows become text on this thread while chunks before them are packed on another and written by the database.
      for await (const isOurs of ahead(ahead(chunks, CHUNKS_UNDER_WAY, pack), CHUNKS_UNDER_WAY, append)) {
        if (!isOurs) throw beingBuilt(key);
        failpoint('mid-build');
      }
      return { bytes, rows, digests: await body.end() };
    } finally {
      body.forget();
    }
  }

  async #builtElsewhere(key: PayloadKey): Promise<BuiltPayload> {
    const payload = await this.#store.find(key);
    if (payload) return { payload, whole: null, watchedBy: null };
    throw beingBuilt(key);
  }
}
