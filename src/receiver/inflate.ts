import { pipeline } from 'node:stream';
import { createGunzip, gunzipSync } from 'node:zlib';
import { PayloadError } from './results-push.js';

/**
 * Decompresses a body in constant memory. Limited, since a few kilobytes may decompress to gigabytes.
 * @throws PayloadError `payload_too_large`, `payload_truncated`, `payload_malformed`; errors of the source
 */
export async function* inflated(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array, void> {
  const gunzip = createGunzip();
  // An error on either side ends both and is thrown by the loop below.
  pipeline(source, gunzip, () => undefined);
  let bytes = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      yield chunk;
    }
  } catch (error) {
    throw asPayloadError(error, maxBytes);
  }
}

/** The same for a body in memory. */
export function inflatedWhole(bytes: Uint8Array, maxBytes: number): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    throw asPayloadError(error, maxBytes);
  }
}

function asPayloadError(error: unknown, maxBytes: number): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'ERR_BUFFER_TOO_LARGE') return tooLarge(maxBytes);
  if (code === 'Z_BUF_ERROR') return new PayloadError('payload_truncated', 'The compressed body is truncated.');
  if (typeof code !== 'string' || !code.startsWith('Z_')) return error;
  return new PayloadError('payload_malformed', 'The body is not compressed as its Content-Encoding says.');
}

function tooLarge(maxBytes: number): PayloadError {
  return new PayloadError(
    'payload_too_large',
    `The body is larger than maxInflatedBytes (${maxBytes}) once it is decompressed. Raise it if the job is that large.`,
  );
}
