import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { NEW_ID } from '../data-sinks.tokens.js';
import type { StoredPayload } from '../domain/claimed-delivery.js';
import { failpoint } from '../tools/failpoint.js';
import type { IdFactory } from '../domain/ids.js';
import type { PayloadFacts } from '../domain/body/layout.js';
import { isOfSeveral, parseRecipe, type PayloadRecipe } from '../domain/body/payload-recipe.js';
import type { BodyMac } from '../domain/signing/signature-scheme.js';
import { MappingResults } from '../ports/mapping-results.js';
import { mapConcurrently } from './map-concurrently.js';
import { bodyChunks } from './body-chunks.js';
import { type BodyDigests, BodyThreadClient, type ThreadedBody } from './body-thread-client.js';
import { beingBuilt, BuildLease } from './build-lease.js';
import { prepend } from './prepend.js';
import { compress } from './chunk-compression.js';
import { expectedRows } from './expected-rows.js';
import { PartsBuilder } from './parts-builder.js';
import { ResultsMissingError } from './payload-errors.js';
import type { PayloadKey } from './payload-key.js';
import type { BodyChunk } from './row-slices.js';
import type { UnstoredBody } from './whole-payload.sql.js';
import { PayloadStore } from './payload-store.js';

/** Chunks of one body compressed concurrently, and as many written concurrently. */
const CHUNKS_UNDER_WAY = 3;

/** Larger ones are stored by statements of their own: a batch of attempts must not become as large as all their bodies. */
const STORED_WITH_ATTEMPT_BYTES = 64 * 1024;

/** Of a body that somebody else has stored. */
const READ_BACK = { whole: null, watchedBy: null, unstored: null } as const;

/** What is known of a body when all of its chunks are stored. */
type Pressed = Pick<StoredPayload, 'bytes' | 'rows'> & { readonly digests: BodyDigests };

/** A body just made. `whole` is set when it is one chunk: whoever made it need not read it back. */
export interface BuiltPayload {
  readonly payload: StoredPayload;
  readonly whole: Buffer | null;
  /** The watch that received the digests of all bytes, or null. */
  readonly watchedBy: BodyWatch | null;
  /** Null once it is stored. */
  readonly unstored: UnstoredBody | null;
}

/** Computes HMACs of a large body during the build, which saves a separate pass. */
export interface BodyWatch {
  /** @returns null when no HMACs are needed */
  begin(): Promise<readonly BodyMac[] | null>;
  /** @param digests the HMACs requested by `begin`, once the body is complete */
  end(digests: readonly Buffer[]): void;
}

/** Builds the body of a job once: results → canonical bytes → compressed chunks and a SHA-256. */
@Injectable()
export class PayloadBuilder {
  readonly #parts: PartsBuilder;

  constructor(
    private readonly results: MappingResults,
    private readonly store: PayloadStore,
    @Inject(NEW_ID) private readonly newId: IdFactory,
    private readonly bodyThread: BodyThreadClient,
  ) {
    this.#parts = new PartsBuilder(results, store, newId, bodyThread);
  }

  /**
   * @param watch used only if a large body is built here
   * @throws ResultsMissingError when the host no longer has the rows
   * @throws InvalidResultsError when rows are invalid, or their number differs from `stats.total`
   * @throws PayloadBeingBuiltError while another worker builds the same body
   * @throws TooManyPartsError when the job needs too many parts
   */
  async build(key: PayloadKey, facts: PayloadFacts, watch: BodyWatch | null = null): Promise<BuiltPayload> {
    const recipe = parseRecipe(key.recipe);
    if (isOfSeveral(recipe)) {
      // The builder of earlier parts has built this one, too.
      const made = await this.store.find(key);
      if (made) return { payload: made, ...READ_BACK };
      await this.#parts.build(key, recipe, facts);
      return this.#builtElsewhere(key);
    }
    const { workspaceId, jobId, run } = key;
    const batches = await this.results.streamRows({ workspaceId, jobId, run });
    if (!batches) throw new ResultsMissingError(`the host has no results of job ${jobId}, run ${run}`);

    const chunks = bodyChunks(recipe, facts, expectedRows(facts.stats.total, batches), this.bodyThread);
    try {
      const [first, second] = [await chunks.next(), await chunks.next()];
      if (first.done) throw new Error('a body has at least one chunk');
      if (second.done) return await this.#storeWhole(key, recipe, first.value);
      return await this.#storeInChunks(key, recipe, prepend([first.value, second.value], chunks), watch);
    } finally {
      // Also when another worker turns out to build it: the host's stream may hold a connection.
      await chunks.return(undefined);
    }
  }

  /** Most bodies: one statement, no lease. When two workers make the same one, the first to store it wins and both send its bytes. */
  async #storeWhole(key: PayloadKey, recipe: PayloadRecipe, { bytes, rowsSoFar }: BodyChunk): Promise<BuiltPayload> {
    const payload: StoredPayload = {
      bodyId: this.newId('payload'),
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
      rows: rowsSoFar,
    };
    const chunk = await compress(bytes, recipe);
    const made = { payload, whole: bytes, watchedBy: null };
    if (bytes.length <= STORED_WITH_ATTEMPT_BYTES) return { ...made, unstored: { key, payload, chunk } };
    if (await this.store.insertWhole(key, payload, chunk)) return { ...made, unstored: null };
    return this.#builtElsewhere(key);
  }

  /** Large bodies: under a lease, so that only one worker reads a million rows. */
  async #storeInChunks(
    key: PayloadKey,
    recipe: PayloadRecipe,
    chunks: AsyncIterable<BodyChunk>,
    watch: BodyWatch | null,
  ): Promise<BuiltPayload> {
    const bodyId = this.newId('payload');
    if (!(await this.store.beginBuild(key, bodyId))) return this.#builtElsewhere(key);
    const lease = new BuildLease(this.store, key, bodyId);
    let macs: readonly BodyMac[] | null;
    let pressed: Pressed;
    try {
      // Other deliveries may wait for this body: an error of the watch must not fail the build.
      macs = watch && (await watch.begin().catch(() => null));
      const body = this.bodyThread.begin(recipe, macs ?? []);
      pressed = await this.#pressInto(key, bodyId, lease.whileHeld(chunks), body);
    } catch (error) {
      await this.store.abandonBuild(key, bodyId);
      throw error;
    } finally {
      lease.stop();
    }
    const { digests, ...size } = pressed;
    const payload: StoredPayload = { bodyId, sha256: digests.sha256, ...size };
    if (!(await this.store.finishBuild(key, payload))) {
      await this.store.abandonBuild(key, bodyId);
      return this.#builtElsewhere(key);
    }
    if (macs) watch?.end(digests.macs);
    return { payload, whole: null, watchedBy: macs && watch, unstored: null };
  }

  async #pressInto(
    key: PayloadKey,
    bodyId: string,
    chunks: AsyncIterable<BodyChunk>,
    body: ThreadedBody,
  ): Promise<Pressed> {
    let bytes = 0;
    let rows = 0;
    let seq = 0;
    const pack = (chunk: BodyChunk) => {
      bytes += chunk.bytes.length;
      rows = chunk.rowsSoFar;
      return body.pack(chunk.bytes);
    };
    const append = (packed: Buffer) => this.store.appendChunk(key, bodyId, seq++, packed);
    try {
      // Rows are formatted on this thread while earlier chunks are compressed on the other and written.
      for await (const isOurs of mapConcurrently(
        mapConcurrently(chunks, CHUNKS_UNDER_WAY, pack),
        CHUNKS_UNDER_WAY,
        append,
      )) {
        if (!isOurs) throw beingBuilt(key);
        failpoint('mid-build');
      }
      return { bytes, rows, digests: await body.end() };
    } finally {
      body.forget();
    }
  }

  async #builtElsewhere(key: PayloadKey): Promise<BuiltPayload> {
    const payload = await this.store.find(key);
    if (payload) return { payload, ...READ_BACK };
    throw beingBuilt(key);
  }
}
