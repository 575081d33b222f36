import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { Delivery } from '../domain/delivery.js';
import { ProblemError } from '../domain/errors.js';
import { BODY_FORMATS } from '../domain/body/body-format.js';
import { recipeName } from '../domain/body/payload-recipe.js';
import { PayloadBodies } from '../payload/payload-bodies.js';
import { Answer } from '../routes/answer.js';

const GZIP_FILE = 'application/gzip';

/** Streams the exact bytes of a delivery from storage, chunk by chunk, as fast as the client reads. */
@Injectable()
export class PayloadDownload {
  constructor(private readonly bodies: PayloadBodies) {}

  /**
   * @param accept the request's `Accept`. Browsers and some clients decompress a response with `Content-Encoding`;
   *   asking for `application/gzip` gives them the exact bytes of a compressed body
   * @throws ProblemError `not-found` when the body has not been built, `payload-gone` when it was deleted
   */
  async open({ workspaceId, jobId, run, recipe, payload: sent }: Delivery, accept?: string): Promise<Answer> {
    const stored = await this.bodies.stored({ workspaceId, jobId, run, recipe: recipeName(recipe) });
    if (!stored && !sent) throw new ProblemError('not-found', 'The body of this delivery has not been built yet.');
    if (!stored || (sent && sent.sha256 !== stored.payload.sha256)) {
      throw new ProblemError('payload-gone', 'The bytes that this delivery sent have been deleted.');
    }
    const { bytes, sha256 } = stored.payload;
    const isGzipFile = recipe.compression === 'gzip' && accept?.trim() === GZIP_FILE;
    const isEncoded = recipe.compression !== 'none' && !isGzipFile;
    const headers = {
      'Content-Type': isGzipFile ? GZIP_FILE : BODY_FORMATS[recipe.format].contentType,
      'Content-Length': String(bytes),
      'Content-Disposition': 'attachment',
      'Content-Digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
      // The digest covers these bytes, so proxies must not re-encode them.
      'Cache-Control': 'no-store, no-transform',
      Vary: 'Accept',
      ...(isEncoded && { 'Content-Encoding': recipe.compression }),
    };
    // A byte stream, not an object stream: that would read sixteen chunks ahead of a slow client.
    return new Answer(200, headers, Readable.from(stored.open(), { objectMode: false }));
  }
}
