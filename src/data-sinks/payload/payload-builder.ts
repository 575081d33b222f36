import { createHash } from 'node:crypto';
import type { StoredPayload } from '../core/claimed-delivery.js';
import { failpoint } from '../core/failpoint.js';
import type { IdFactory } from '../core/ids.js';
import { type PayloadFacts, payloadLayout } from '../core/payload-layout.js';
import type { MappingResults } from '../ports/mapping-results.js';
import { type BodyChunk, bodyChunks } from './body-chunks.js';
import { compress } from './chunk-compression.js';
import { PayloadBeingBuiltError, ResultsMissingError } from './payload-errors.js';
import type { PayloadKey, PayloadStore } from './payload-store.js';

/** A body just stored. `whole` is set when it is one chunk: whoever made it need not read it back. */
export interface BuiltPayload {
  readonly payload: StoredPayload;
  readonly whole: Buffer | null;
}

/** Makes the body of a job once: results → canonical bytes → compressed chunks and a SHA-256. */
export class PayloadBuilder {
  readonly #results: MappingResults;
  readonly #store: PayloadStore;
  readonly #newId: IdFactory;

  constructor(results: MappingResults, store: PayloadStore, newId: IdFactory) {
    this.#results = results;
    this.#store = store;
    this.#newId = newId;
  }

  /**
   * @throws ResultsMissingError when the host no longer has the rows
   * @throws InvalidResultRowError when a row cannot be sent as it is
   * @throws PayloadBeingBuiltError while another worker makes the same body
   */
  async build(key: PayloadKey, facts: PayloadFacts): Promise<BuiltPayload> {
    const batches = await this.#results.streamRows(key);
    if (!batches) throw new ResultsMissingError(`the host has no results of job ${key.jobId}, run ${key.run}`);

    const chunks = bodyChunks(payloadLayout(key.format), facts, batches);
    const [first, second] = [await chunks.next(), await chunks.next()];
    if (first.done) throw new Error('a body has at least one chunk');
    if (second.done) return this.#storeWhole(key, first.value);
    return this.#storeInChunks(key, chain([first.value, second.value], chunks));
  }

  /** Most bodies: one statement, no lease. When two workers make the same one, the first wins and both send its bytes. */
  async #storeWhole(key: PayloadKey, { bytes, rowsSoFar }: BodyChunk): Promise<BuiltPayload> {
    const payload: StoredPayload = {
      bodyId: this.#newId('payload'),
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
      rows: rowsSoFar,
    };
    if (await this.#store.insertWhole(key, payload, await compress(bytes))) return { payload, whole: bytes };
    return this.#builtElsewhere(key);
  }

  /** Large bodies: under a lease, so that only one worker reads a million rows. */
  async #storeInChunks(key: PayloadKey, chunks: AsyncIterable<BodyChunk>): Promise<BuiltPayload> {
    const bodyId = this.#newId('payload');
    if (!(await this.#store.beginBuild(key, bodyId))) return this.#builtElsewhere(key);
    const hash = createHash('sha256');
    let bytes = 0;
    let rows = 0;
    let seq = 0;
    try {
      for await (const chunk of chunks) {
        hash.update(chunk.bytes);
        bytes += chunk.bytes.length;
        rows = chunk.rowsSoFar;
        if (!(await this.#store.appendChunk(key, bodyId, seq++, await compress(chunk.bytes)))) {
          throw new PayloadBeingBuiltError(`another worker took over the body of job ${key.jobId}`);
        }
        failpoint('mid-build');
      }
    } catch (error) {
      await this.#store.abandonBuild(key, bodyId);
      throw error;
    }
    const payload: StoredPayload = { bodyId, sha256: hash.digest('hex'), bytes, rows };
    return (await this.#store.finishBuild(key, payload)) ? { payload, whole: null } : this.#builtElsewhere(key);
  }

  async #builtElsewhere(key: PayloadKey): Promise<BuiltPayload> {
    const payload = await this.#store.find(key);
    if (payload) return { payload, whole: null };
    throw new PayloadBeingBuiltError(`the body of job ${key.jobId}, run ${key.run} is being made by another worker`);
  }
}

async function* chain<T>(first: readonly T[], rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield* first;
  yield* rest;
}
