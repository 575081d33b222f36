import { Injectable, Optional } from '@nestjs/common';
import type { WorkerOptions } from 'node:worker_threads';
import { ConfigurationError } from '../domain/errors.js';
import type { ParquetValues } from '../domain/body/parquet-layout.js';
import type { PayloadRecipe } from '../domain/body/payload-recipe.js';
import type { BodyMac } from '../domain/signing/signature-scheme.js';
import { findPackageFile } from '../tools/package-file.js';
import { deflateOptions } from './chunk-compression.js';
import { asBuffer, type ParquetFile, ThreadConnection, type ThreadRequest } from './thread-connection.js';

/** Digests of a complete body. */
export interface BodyDigests {
  /** In lower-case hex. */
  readonly sha256: string;
  /** The requested HMACs, in order. */
  readonly macs: readonly Buffer[];
}

/** A large body being processed by the thread. */
export interface ThreadedBody {
  /**
   * Hashes the next chunk of the body and returns its stored form.
   * @param chunk its memory is transferred: it is empty afterwards
   */
  pack(chunk: Buffer): Promise<Buffer>;
  /** Call after the last chunk. */
  end(): Promise<BodyDigests>;
  /** Call at the end in any case. */
  forget(): void;
}

/** A Parquet file being written by a thread. */
export interface ThreadedParquet {
  /** Adds rows, one list of values for each column. @returns the next bytes of the file; often none */
  rows(values: ParquetValues): Promise<Buffer>;
  /** Call after the last rows. @returns the last bytes of the file */
  end(): Promise<Buffer>;
  /** Call at the end in any case. */
  forget(): void;
}

const THREAD_FILE = './body-thread.cjs';

/** It loads only Node's modules and creates few objects. */
const HASHING: WorkerOptions = { name: 'data-sinks', resourceLimits: { maxYoungGenerationSizeMb: 4 } };
/** A thread of its own: a row group takes it a quarter of a second, which the hashing of other bodies must not wait for. */
const PARQUET: WorkerOptions = { name: 'data-sinks-parquet', resourceLimits: { maxYoungGenerationSizeMb: 16 } };

/**
 * Worker threads for large bodies: one hashes and compresses chunks, another writes Parquet files, while the main thread
 * formats the next rows. Each is started for the first body that needs it, and restarted for the next one if it dies.
 */
@Injectable()
export class BodyThreadClient {
  readonly #threads = new Map<WorkerOptions, ThreadConnection>();
  readonly #file: string;
  #bodies = 0;
  #closed = false;

  /** @throws when the thread's file is missing: better at startup than weeks later */
  constructor(@Optional() file = THREAD_FILE) {
    const { found, places } = findPackageFile([file], import.meta.url);
    if (found === null) throw new ConfigurationError(`body-thread.cjs is not at ${places.join(' or ')}. ${KEEP_IT}`);
    this.#file = found;
  }

  /**
   * @param recipe of the body; one that is compressed is stored unchanged
   * @param macs to compute in addition to the SHA-256
   */
  begin(recipe: Pick<PayloadRecipe, 'format' | 'compression'>, macs: readonly BodyMac[] = []): ThreadedBody {
    const thread = this.#running(HASHING);
    const body = ++this.#bodies;
    const deflate = deflateOptions(recipe);
    thread.tell({ kind: 'begin', body, macs: macs.map(ownKey) });
    return {
      async pack(chunk) {
        const bytes = ownMemory(chunk);
        const answer = await thread.ask({ kind: 'pack', body, bytes, deflate }, [bytes.buffer as ArrayBuffer]);
        if ('packed' in answer) return asBuffer(answer.packed);
        throw unexpected();
      },
      async end() {
        const answer = await thread.ask({ kind: 'end', body });
        const [sha256, ...macs] = 'digests' in answer ? answer.digests.map(asBuffer) : [];
        if (!sha256) throw unexpected();
        return { sha256: sha256.toString('hex'), macs };
      },
      forget: () => thread.tell({ kind: 'forget', body }),
    };
  }

  beginParquet(file: ParquetFile): ThreadedParquet {
    const thread = this.#running(PARQUET);
    const body = ++this.#bodies;
    thread.tell({ kind: 'begin-parquet', body, ...file });
    const written = async (request: ThreadRequest): Promise<Buffer> => {
      const answer = await thread.ask(request);
      if ('written' in answer) return asBuffer(answer.written);
      throw unexpected();
    };
    return {
      rows: (values) => written({ kind: 'rows', body, values }),
      end: () => written({ kind: 'end-parquet', body }),
      forget: () => thread.tell({ kind: 'forget', body }),
    };
  }

  /** Ends the threads: pending requests fail, and no more bodies can be started. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#threads.values()].map((thread) => thread.end()));
  }

  #running(options: WorkerOptions): ThreadConnection {
    if (this.#closed) throw new Error('the body thread is closed');
    const running = this.#threads.get(options);
    if (running?.alive) return running;
    const thread = new ThreadConnection(this.#file, options);
    this.#threads.set(options, thread);
    return thread;
  }
}

const KEEP_IT =
  'Whoever bundles nestjs-data-sinks has to copy node_modules/nestjs-data-sinks/dist/body-thread.cjs beside the bundle, ' +
  'or to leave the package out of it (as an external one)';

function unexpected(): Error {
  return new Error('unexpected answer of the body thread');
}

/** Small buffers share memory with others, so only a copy can be transferred. */
function ownMemory(bytes: Buffer): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

function ownKey({ key, prefix }: BodyMac): BodyMac {
  return { key: typeof key === 'string' ? key : Uint8Array.from(key), prefix };
}
