import type { Socket } from 'node:net';

/** What the peer sent before it closed has already arrived when a write fails; reading it takes a moment. */
const GRACE_MS = 100;

type Done = (error?: Error | null) => void;

/**
 * Keeps a socket open for a moment after a failed write, so that an answer that came before the peer closed is still
 * read. Node destroys a socket on the first `EPIPE`, unread answer and all: a receiver that says 413 and closes while we
 * upload would be recorded as a broken connection, and the upload repeated.
 */
export function readOnAfterFailedWrite(socket: Socket): void {
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  socket._write = (chunk, encoding, done) => write(chunk, encoding, later(done));
  if (writev) socket._writev = (chunks, done) => writev(chunks, later(done));
}

function later(done: Done): Done {
  return (error) => {
    if (error) setTimeout(done, GRACE_MS, error);
    else done();
  };
}
