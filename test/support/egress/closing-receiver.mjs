// A receiver that answers 200 to every complete request and closes connections as real servers do; the path selects the
// behaviour. In a child process: in ours, a close would be noticed before the next request could be sent.
import net from 'node:net';
import tls from 'node:tls';

const options = JSON.parse(process.argv[2] ?? '{}');
const seen = [];
let connections = 0;

const OK = (extra = '') => `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${extra}\r\nok`;
const reset = (socket) => (socket._parent ?? socket).resetAndDestroy();
const soon = () => Math.floor(Math.random() * 20);

/** What to do with a complete request. */
const answers = {
  keeps: (socket) => socket.write(OK()),
  'announces-and-closes': (socket) => socket.end(OK('Connection: close\r\n')),
  'announces-and-leaves-it-to-us': (socket) => socket.write(OK('Connection: foo, Close\r\n')),
  'speaks-http-1.0': (socket) => socket.write(OK().replace('HTTP/1.1', 'HTTP/1.0')),
  'announces-one-second': (socket) => socket.write(OK('Keep-Alive: timeout=1\r\n')),
  'closes-unannounced': (socket) => socket.end(OK()),
  'closes-after-25-ms-idle': (socket) => {
    socket.write(OK());
    socket.idle = setTimeout(() => socket.end(), 25);
  },
  'ends-while-idle': (socket) => socket.write(OK(), () => setTimeout(() => socket.end(), soon())),
  'resets-while-idle': (socket) => socket.write(OK(), () => setTimeout(reset, soon(), socket)),
  /** Continues to read, but cannot respond any more. */
  'half-closes': (socket) => socket.end(OK()),
  'cuts-the-next': (socket) => socket.write(OK()),
  'cuts-all-but-the-first': (socket) => socket.write(OK()),
  'begins-the-next-answer-and-cuts': (socket) => socket.write(OK()),
  'says-continue-and-cuts-the-next': (socket) => socket.write(OK()),
  'is-silent-from-the-next-on': (socket) => socket.write(OK()),
};

/** What to do at the first byte of a request. @returns whether the request is finished */
const beginnings = {
  'cuts-the-next': (socket, { onConnection }) => onConnection > 1 && cut(socket),
  'cuts-all-but-the-first': (socket, { number }) => number > 1 && cut(socket),
  'begins-the-next-answer-and-cuts': (socket, { onConnection }) =>
    onConnection > 1 && cut(socket, 'HTTP/1.1 200 OK\r\nX-Never: '),
  'says-continue-and-cuts-the-next': (socket, { onConnection }) =>
    onConnection > 1 && cut(socket, 'HTTP/1.1 100 Continue\r\n\r\n'),
  'is-silent-from-the-next-on': (_socket, { onConnection }) => onConnection > 1,
};

function cut(socket, first) {
  if (first) socket.end(first);
  else reset(socket);
  return true;
}

function serve(socket) {
  const connection = (connections += 1);
  let onConnection = 0;
  let pending = Buffer.alloc(0);
  let request = null;
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    if (socket.writableEnded && !request) return;
    clearTimeout(socket.idle);
    pending = Buffer.concat([pending, chunk]);
    if (!request) {
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = pending.subarray(0, end).toString('latin1');
      pending = pending.subarray(end + 4);
      const path = head.split(' ')[1];
      const habit = path.split('/')[1].split('?')[0];
      const number = 1 + seen.filter((other) => other.path === path).length;
      const of = (name) => new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1] ?? null;
      request = { path, habit, number, connection, onConnection: (onConnection += 1), answered: false };
      Object.assign(request, { bytes: Number(of('content-length')), attempt: of('x-mt-attempt') });
      Object.assign(request, { deliveryId: of('x-mt-delivery-id'), timestamp: of('webhook-timestamp') });
      seen.push(request);
      if (beginnings[habit]?.(socket, request)) {
        pending = Buffer.alloc(0);
        socket.removeAllListeners('data').resume();
        return;
      }
    }
    if (pending.length < request.bytes) return;
    pending = pending.subarray(request.bytes);
    const { habit } = request;
    // Not if the connection is half closed: the client would not receive it.
    request.answered = socket.writable;
    request = null;
    answers[habit](socket);
  });
}

const server = options.tls
  ? tls.createServer({ ...options.tls, allowHalfOpen: true }, serve)
  : net.createServer({ allowHalfOpen: true }, serve);
server.on('tlsClientError', () => undefined);
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', ({ id }) => process.send({ id, seen, connections }));
process.on('disconnect', () => process.exit(0));
