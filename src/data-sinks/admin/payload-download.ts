import { Readable } from 'node:stream';
import { Injectable, StreamableFile } from '@nestjs/common';
import type { Delivery } from '../core/delivery.js';
import { ProblemError } from '../core/errors.js';
import { payloadLayout } from '../core/payload-layout.js';
import { recipeName } from '../core/payload-recipe.js';
import { PayloadBodies } from '../payload/payload-bodies.js';

const GZIP_FILE = 'application/gzip';

export interface DownloadedPayload {
  readonly file: StreamableFile;
  readonly sha256: string;
  /** For `Content-Encoding`: the bytes are as they were sent. Null too for a file that is itself compressed. */
  readonly encoding: string | null;
}

/** The exact bytes of a delivery, read from where they are stored: chunk by chunk, as fast as the caller takes them. */
@Injectable()
export class PayloadDownload {
  constructor(private readonly bodies: PayloadBodies) {}

  /**
   * @param accept the request's `Accept`: clients that unpack by themselves what has a `Content-Encoding`, as browsers do,
   *   get at the exact bytes of a compressed body by asking for `application/gzip`
   * @throws ProblemError `not-found` when the body was not made yet, `payload-gone` when it is no longer kept
   */
  async open({ jobId, run, recipe, payload: sent }: Delivery, accept?: string): Promise<DownloadedPayload> {
    const stored = await this.bodies.stored({ jobId, run, recipe: recipeName(recipe) });
    if (!stored && !sent) throw new ProblemError('not-found', 'The body of this delivery has not been made.');
    if (!stored || (sent && sent.sha256 !== stored.payload.sha256)) {
      throw new ProblemError('payload-gone', 'The bytes that this delivery sent are no longer kept.');
    }
    const { bytes, sha256 } = stored.payload;
    // In bytes, not in objects: else sixteen chunks would be read ahead of a slow caller.
    const stream = Readable.from(stored.open(), { objectMode: false });
    const isGzipFile = recipe.compression === 'gzip' && accept?.trim() === GZIP_FILE;
    const type = isGzipFile ? GZIP_FILE : payloadLayout(recipe).contentType;
    const file = new StreamableFile(stream, { type, length: bytes, disposition: 'attachment' });
    // The framework would answer with the error's text, or end an answer that is cut short as if it were whole.
    file.setErrorHandler((_error, response) => (response as Partial<Readable>).destroy?.());
    return { file, sha256, encoding: recipe.compression === 'none' || isGzipFile ? null : recipe.compression };
  }
}
