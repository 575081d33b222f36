import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { ZlibOptions } from 'node:zlib';
import type { ParquetColumn, ParquetValues } from '../domain/body/parquet-layout.js';
import type { BodyMac } from '../domain/signing/signature-scheme.js';

/** Messages to a thread of `body-thread.cjs`. Every one but `begin`, `begin-parquet` and `forget` is answered, in order. */
export type ThreadRequest =
  | { readonly kind: 'begin'; readonly body: number; readonly macs: readonly BodyMac[] }
  | { readonly kind: 'pack'; readonly body: number; readonly bytes: Uint8Array; readonly deflate: ZlibOptions | null }
  | { readonly kind: 'end' | 'forget' | 'end-parquet'; readonly body: number }
  | ({ readonly kind: 'begin-parquet'; readonly body: number } & ParquetFile)
  | { readonly kind: 'rows'; readonly body: number; readonly values: ParquetValues };

/** How a Parquet file is written. */
export interface ParquetFile {
  readonly columns: readonly ParquetColumn[];
  readonly codec: 'SNAPPY' | 'GZIP';
  /** A row group ends after the row that reaches one of these: the text is counted in characters. */
  readonly rowsPerGroup: number;
  readonly textPerGroup: number;
  readonly createdBy: string;
  /** The URL of `hyparquet-writer`. */
  readonly writer: string;
  /** The URL of `fflate`, for the codec GZIP. */
  readonly deflater: string | null;
}

export type ThreadAnswer =
  | { readonly packed: Uint8Array; readonly spent?: ArrayBuffer }
  | { readonly digests: readonly Uint8Array[] }
  /** The next bytes of a Parquet file; often none. */
  | { readonly written: Uint8Array };

interface Waiting {
  readonly resolve: (answer: ThreadAnswer) => void;
  readonly reject: (reason: Error) => void;
}

/** A thread that runs `body-thread.cjs`, and the requests that wait for its answers. */
export class ThreadConnection {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #gone: Error | null = null;

  constructor(file: string, options: WorkerOptions) {
    // Without the process's exec options: a thread loads only what it is told to.
    this.#worker = new Worker(file, { execArgv: [], ...options });
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

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
