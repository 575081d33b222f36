import type { PushBody } from '../../egress/index.js';
import { elements, readAnswer } from './s3-answer.js';
import type { S3Client } from './s3-client.js';

const MB = 1024 * 1024;
/** One part is in memory at a time, since its hash is signed before it leaves. AWS wants 5 MB at least. */
const USUAL_PART_BYTES = 8 * MB;
/** AWS takes no more of them. */
const MAX_PARTS = 10_000;

/** In whole megabytes, by a length that is known: never more than 10,000 parts. */
export function partSize(bytes: number): number {
  return Math.max(USUAL_PART_BYTES, Math.ceil(bytes / MAX_PARTS / MB) * MB);
}

/** The body in parts of this size; the next one is read when the one before was sent. */
export async function* partsOf(body: PushBody, size: number): AsyncGenerator<Buffer, void> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body.whole ? [body.whole] : body.open()) {
    let rest = chunk;
    while (bytes + rest.byteLength >= size) {
      const taken = rest.subarray(0, size - bytes);
      yield Buffer.concat([...held, taken], size);
      rest = rest.subarray(taken.byteLength);
      held = [];
      bytes = 0;
    }
    held.push(rest);
    bytes += rest.byteLength;
  }
  if (bytes > 0) yield Buffer.concat(held, bytes);
}

/** The document that puts the parts together. */
export function completionOf(etags: readonly string[]): Buffer {
  const parts = etags.map(
    (etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag.replaceAll('"', '&quot;')}</ETag></Part>`,
  );
  return Buffer.from(
    `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join('')}</CompleteMultipartUpload>`,
  );
}

/**
 * Ends an upload. A part that was under way may still arrive after the first abort, so it is asked whether anything is left,
 * where that is allowed.
 * @returns whether nothing is left of it
 */
export async function abortUpload(client: S3Client, key: string, uploadId: string): Promise<boolean> {
  const aborted = await client.send({ method: 'DELETE', key, query: { uploadId } });
  const answer = readAnswer(aborted);
  if (!answer) return false;
  if (answer.httpStatus >= 300) return answer.code === 'NoSuchUpload' || answer.code === 'NoSuchBucket';
  const left = readAnswer(await client.send({ method: 'GET', key, query: { 'max-parts': '1', uploadId } }));
  // Who may abort, but not look, has done what can be done.
  return left !== null && (left.httpStatus === 404 || left.httpStatus === 403);
}

/**
 * Ends every upload of a key, where these keys may list them: for one whose id nobody has heard.
 * @returns whether nothing is left that can be found
 */
export async function abortUploadsOf(client: S3Client, key: string): Promise<boolean> {
  const listed = await client.send({
    method: 'GET',
    key: null,
    query: { 'max-uploads': '20', prefix: key, uploads: '' },
  });
  const answer = readAnswer(listed);
  if (!answer || answer.httpStatus >= 500) return false;
  // Who may not list cannot find it: the bucket's own rule for incomplete uploads has to.
  if (answer.httpStatus >= 300) return true;
  const found = elements(listed.answer?.excerpt ?? '', 'Upload').filter((it) => elements(it, 'Key')[0] === key);
  const ids = found.flatMap((it) => elements(it, 'UploadId'));
  const ended = await Promise.all(ids.map((id) => abortUpload(client, key, id)));
  return ended.every(Boolean);
}
