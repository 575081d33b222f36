import type { Socket } from 'node:net';

/** Time to read a response that had arrived before the peer closed. */
const GRACE_MS = 100;

type Done = (error?: Error | null) => void;

/**
 * Keeps a socket open briefly after a failed write, so that a response sent before the peer closed is still read. Node
 * destroys a socket on the first `EPIPE` and drops the unread response. A receiver that sends 413 and closes during the
 * upload would then be recorded as a broken connection, and the upload repeated.
 */
export function readAfterWriteError(socket: Socket): void {
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
