import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { ZlibOptions } from 'node:zlib';
import type { Compression } from '../core/data-sink.js';
import type { BodyMac } from '../core/signing/signature-scheme.js';
import { deflateOptions } from './chunk-compression.js';

/** What is known of a body's bytes after the last one. */
export interface BodyDigests {
  /** In lower-case hex. */
  readonly sha256: string;
  /** Of the HMACs that were asked for, in their order. */
  readonly macs: readonly Buffer[];
}

/** A large body on its way through the thread. */
export interface PressedBody {
  /**
   * Hashes a chunk, the next one of the body, and makes of it what is stored.
   * @param chunk its memory is given away: it is empty afterwards
   */
  pack(chunk: Buffer): Promise<Buffer>;
  /** After the last chunk. */
  end(): Promise<BodyDigests>;
  /** At the end, whatever it was. */
  forget(): void;
}

/** To the thread. Every `pack` and `end` is answered, in the order in which they came. */
export type ThreadRequest =
  | { readonly kind: 'begin'; readonly body: number; readonly macs: readonly BodyMac[] }
  | { readonly kind: 'pack'; readonly body: number; readonly bytes: Uint8Array; readonly deflate: ZlibOptions | null }
  | { readonly kind: 'end' | 'forget'; readonly body: number };

/** `spent` is only given back to be forgotten. */
export type ThreadAnswer =
  { readonly packed: Uint8Array; readonly spent?: ArrayBuffer } | { readonly digests: readonly Uint8Array[] };

const THREAD_FILE = new URL('./body-thread.js', import.meta.url);

/**
 * A thread beside this one for large bodies: it hashes and compresses what has become text, while the next rows become
 * text on this one. Started with the first large body; one that died is replaced for the next.
 */
export class BodyPress {
  #thread: PressThread | null = null;
  readonly #file: URL;
  #bodies = 0;
  #closed = false;

  /** @throws when the thread's file is not there: better at the start than at the first large body, weeks later */
  constructor(file = THREAD_FILE) {
    if (!existsSync(file)) throw new Error(`${fileURLToPath(file)} is missing. ${KEEP_IT}`);
    this.#file = file;
  }

  /**
   * @param compression of the body itself: what is compressed is stored as it is
   * @param macs wanted beside the SHA-256
   */
  begin(compression: Compression, macs: readonly BodyMac[] = []): PressedBody {
    if (this.#closed) throw new Error('no body is made any more');
    if (!this.#thread?.alive) this.#thread = new PressThread(this.#file);
    const thread = this.#thread;
    const body = ++this.#bodies;
    const deflate = deflateOptions(compression);
    thread.tell({ kind: 'begin', body, macs: macs.map(ownKey) });
    return {
      async pack(chunk) {
        const bytes = ownMemory(chunk);
        const answer = await thread.ask({ kind: 'pack', body, bytes, deflate }, [bytes.buffer as ArrayBuffer]);
        if ('packed' in answer) return asBuffer(answer.packed);
        throw new Error('the thread answered out of turn');
      },
      async end() {
        const answer = await thread.ask({ kind: 'end', body });
        const [sha256, ...macs] = 'digests' in answer ? answer.digests.map(asBuffer) : [];
        if (!sha256) throw new Error('the thread answered out of turn');
        return { sha256: sha256.toString('hex'), macs };
      },
      forget: () => thread.tell({ kind: 'forget', body }),
    };
  }

  /** Ends the thread: what it was asked fails, and nothing is begun any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread?.end();
  }
}

interface Waiting {
  readonly resolve: (answer: ThreadAnswer) => void;
  readonly reject: (reason: Error) => void;
}

/** The process's own options are not for this thread: it loads nothing but what Node brings, and makes few objects. */
const THREAD: WorkerOptions = { name: 'data-sinks', execArgv: [], resourceLimits: { maxYoungGenerationSizeMb: 4 } };

const KEEP_IT =
  'Whoever bundles nestjs-data-sinks has to copy body-thread.js beside the bundle, or to leave the package out of it ' +
  '(as an external one)';

class PressThread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #gone: Error | null = null;

  constructor(file: URL) {
    this.#worker = new Worker(file, THREAD);
    // What is waited for is a body of a delivery under way; that keeps the process.
    this.#worker.unref();
    this.#worker.on('message', (answer: ThreadAnswer) => this.#waiting.shift()?.resolve(answer));
    this.#worker.on('messageerror', (error) => {
      this.#fail(error);
      void this.#worker.terminate();
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the thread that makes bodies has ended')));
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
      // Before it is waited for, since this may throw; the answer comes in a later turn of the loop.
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

/** Small buffers share their memory with others: only a copy of them can be given away. */
function ownMemory(bytes: Buffer): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

function ownKey({ key, prefix }: BodyMac): BodyMac {
  return { key: typeof key === 'string' ? key : Uint8Array.from(key), prefix };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
