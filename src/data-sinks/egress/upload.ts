import type { PushBody } from './push-exchange.js';

/** The unit of progress: the receiver has the upload-idle deadline to take each one. */
export const PIECE_BYTES = 65_536;

/** Thrown when a body is not as long as it says, which would leave the receiver waiting or the framing broken. */
export class BodyLengthError extends Error {
  override readonly name = 'BodyLengthError';
  readonly code = 'body_length_mismatch';
}

/** The body in pieces of at most 64 KB, the first of a single byte. */
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

/** A small body in one piece, so that it leaves together with the head. */
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
