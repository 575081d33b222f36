import { Injectable, Optional } from '@nestjs/common';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { ZlibOptions } from 'node:zlib';
import type { Compression } from '../domain/data-sink.js';
import { ConfigurationError } from '../domain/errors.js';
import type { BodyMac } from '../domain/signing/signature-scheme.js';
import { findPackageFile } from '../tools/package-file.js';
import { deflateOptions } from './chunk-compression.js';

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

/** Messages to the thread. Every `pack` and `end` is answered in order. */
export type ThreadRequest =
  | { readonly kind: 'begin'; readonly body: number; readonly macs: readonly BodyMac[] }
  | { readonly kind: 'pack'; readonly body: number; readonly bytes: Uint8Array; readonly deflate: ZlibOptions | null }
  | { readonly kind: 'end' | 'forget'; readonly body: number };

/** `spent` is returned only to be freed. */
export type ThreadAnswer =
  { readonly packed: Uint8Array; readonly spent?: ArrayBuffer } | { readonly digests: readonly Uint8Array[] };

const THREAD_FILE = './body-thread.cjs';

/**
 * A worker thread for large bodies: it hashes and compresses chunks while the main thread formats the next rows.
 * Started for the first large body; restarted for the next one if it dies.
 */
@Injectable()
export class BodyThreadClient {
  #thread: ThreadConnection | null = null;
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
   * @param compression of the body; a compressed body is stored unchanged
   * @param macs to compute in addition to the SHA-256
   */
  begin(compression: Compression, macs: readonly BodyMac[] = []): ThreadedBody {
    if (this.#closed) throw new Error('the body thread is closed');
    if (!this.#thread?.alive) this.#thread = new ThreadConnection(this.#file);
    const thread = this.#thread;
    const body = ++this.#bodies;
    const deflate = deflateOptions(compression);
    thread.tell({ kind: 'begin', body, macs: macs.map(ownKey) });
    return {
      async pack(chunk) {
        const bytes = ownMemory(chunk);
        const answer = await thread.ask({ kind: 'pack', body, bytes, deflate }, [bytes.buffer as ArrayBuffer]);
        if ('packed' in answer) return asBuffer(answer.packed);
        throw new Error('unexpected answer of the body thread');
      },
      async end() {
        const answer = await thread.ask({ kind: 'end', body });
        const [sha256, ...macs] = 'digests' in answer ? answer.digests.map(asBuffer) : [];
        if (!sha256) throw new Error('unexpected answer of the body thread');
        return { sha256: sha256.toString('hex'), macs };
      },
      forget: () => thread.tell({ kind: 'forget', body }),
    };
  }

  /** Ends the thread: pending requests fail, and no more bodies can be started. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread?.end();
  }
}

interface Waiting {
  readonly resolve: (answer: ThreadAnswer) => void;
  readonly reject: (reason: Error) => void;
}

/** Without the process's exec options: the thread loads only Node's modules and creates few objects. */
const THREAD: WorkerOptions = { name: 'data-sinks', execArgv: [], resourceLimits: { maxYoungGenerationSizeMb: 4 } };

const KEEP_IT =
  'Whoever bundles nestjs-data-sinks has to copy node_modules/nestjs-data-sinks/dist/body-thread.cjs beside the bundle, ' +
  'or to leave the package out of it (as an external one)';

class ThreadConnection {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #gone: Error | null = null;

  constructor(file: string) {
    this.#worker = new Worker(file, THREAD);
    // A delivery in progress keeps the process alive, not this thread.
    this.#worker.unref();
    this.#worker.on('message', (answer: ThreadAnswer) => this.#waiting.shift()?.resolve(answer));
    this.#worker.on('messageerror', (error) => {
      this.#fail(error);
      void this.#worker.terminate();
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the body thread has exited')));
  }

  get alive(): boolean {
    return this.#gone === null;
  }

  tell(request: ThreadRequest): void {
    this.#worker.postMessage(request);
  }

  ask(request: ThreadRequest, given: ArrayBuffer[] = []): Promise<ThreadAnswer> {
    if (this.#gone) return Promise.reject(this.#gone);
    return new Promise((resolve, reject) => {
      // postMessage() may throw, so push afterwards; the answer arrives in a later turn of the event loop.
      this.#worker.postMessage(request, given);
      this.#waiting.push({ resolve, reject });
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(reason: unknown): void {
    this.#gone ??= reason instanceof Error ? reason : new Error(String(reason));
    for (const { reject } of this.#waiting.splice(0)) reject(this.#gone);
  }
}

/** Small buffers share memory with others, so only a copy can be transferred. */
function ownMemory(bytes: Buffer): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

function ownKey({ key, prefix }: BodyMac): BodyMac {
  return { key: typeof key === 'string' ? key : Uint8Array.from(key), prefix };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
