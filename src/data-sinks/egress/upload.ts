import type { PushBody } from './push-exchange.js';

/** The receiver must accept each piece within the upload-idle deadline. */
export const PIECE_BYTES = 65_536;

/** The body's length differs from its declared length, which would break the framing. */
export class BodyLengthError extends Error {
  override readonly name = 'BodyLengthError';
  readonly code = 'body_length_mismatch';
}

/** The body in pieces of at most 64 KB, the first of one byte. */
export async function* pieces(body: PushBody): AsyncGenerator<Uint8Array, void> {
  let sent = 0;
  for await (const chunk of body.whole ? [body.whole] : body.open()) {
    if (sent + chunk.byteLength > body.bytes) throw new BodyLengthError(`the body is longer than ${body.bytes} bytes`);
    for (let at = 0; at < chunk.byteLength;) {
      const end = at + (sent === 0 ? 1 : PIECE_BYTES);
      const piece = chunk.subarray(at, end);
      at += piece.byteLength;
      sent += piece.byteLength;
      yield piece;
    }
  }
  if (sent !== body.bytes) throw new BodyLengthError(`the body has ${sent} bytes instead of ${body.bytes}`);
}

/** A small body as one piece, so that it is sent together with the head. */
export async function readWhole(body: PushBody): Promise<Uint8Array> {
  if (body.whole) return checked(body.whole, body.bytes);
  const chunks: Uint8Array[] = [];
  for await (const piece of pieces(body)) chunks.push(piece);
  return checked(Buffer.concat(chunks), body.bytes);
}

function checked(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.byteLength === length) return bytes;
  throw new BodyLengthError(`the body has ${bytes.byteLength} bytes instead of ${length}`);
}
