// A receiver that misbehaves on request, in a child process: in ours it would share our event loop and hide effects of
// a broken peer. The path selects the behaviour: /answer/401/after-body, /attack/never-answers, …
import { createHash } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';

import { attacks } from './attacks.mjs';
import { earlyAnswers } from './early-answers.mjs';

const options = JSON.parse(process.argv[2] ?? '{}');
const seen = [];
let connections = 0;
const open = new Set();

/** One request on a connection: reads the head, counts the body, and lets a behaviour respond. */
class Exchange {
  constructor(socket) {
    this.socket = socket;
    this.head = null;
    this.bodyBytes = 0;
    this.hash = createHash('sha256');
    this.waiting = [];
    this.expected = Infinity;
  }

  take(chunk) {
    if (this.head === null) {
      this.buffered = Buffer.concat([this.buffered ?? Buffer.alloc(0), chunk]);
      const end = this.buffered.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.head = this.buffered.subarray(0, end).toString('latin1');
      this.expected = Number(/^content-length: *(\d+)/im.exec(this.head)?.[1] ?? 0);
      const rest = this.buffered.subarray(end + 4);
      this.buffered = undefined;
      this.path = this.head.split(' ')[1];
      this.record = { path: this.path, head: this.head, bodyBytes: 0, sha256: null };
      seen.push(this.record);
      run(this);
      if (rest.length > 0) this.count(rest);
      return;
    }
    this.count(chunk);
  }

  count(chunk) {
    this.bodyBytes += chunk.length;
    this.hash.update(chunk);
    this.record.bodyBytes = this.bodyBytes;
    if (this.bodyBytes === this.expected) this.record.sha256 = this.hash.copy().digest('hex');
    for (const wait of this.waiting.splice(0)) this.after(...wait);
  }

  next() {
    return new Exchange(this.socket);
  }

  /** Calls back when this many bytes of the body have arrived. */
  after(bytes, callback) {
    if (this.bodyBytes >= Math.min(bytes, this.expected)) callback();
    else this.waiting.push([bytes, callback]);
  }

  afterBody(callback) {
    this.after(Infinity, callback);
  }
}

function run(exchange) {
  const [, kind, name, ...rest] = exchange.path.split('?')[0].split('/');
  const behaviour = { attack: attacks, early: earlyAnswers, answer: answers }[kind]?.[name];
  if (behaviour) behaviour(exchange.socket, exchange, rest);
  else exchange.socket.destroy();
}

const answers = {
  status(socket, exchange, [status]) {
    exchange.afterBody(() => {
      const text = `received ${exchange.bodyBytes}`;
      socket.write(`HTTP/1.1 ${status} Whatever\r\nContent-Length: ${text.length}\r\nRetry-After: 7\r\n\r\n${text}`);
      socket.exchange = new Exchange(socket);
    });
  },
  /** Sends this many characters, then the credential it received. */
  echo(socket, exchange, [characters]) {
    exchange.afterBody(() => {
      const credential = /^authorization: *\S+ (.*)$/im.exec(exchange.head)?.[1] ?? '';
      const text = 'x'.repeat(Number(characters)) + credential;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\nX-Echo: ${credential}\r\n\r\n${text}`);
      socket.exchange = new Exchange(socket);
    });
  },
  /** Responds, then closes in order, like a server without keep-alive. */
  close(socket, exchange, [status]) {
    exchange.afterBody(() => {
      socket.end(`HTTP/1.1 ${status} Whatever\r\nConnection: close\r\n\r\nbye`);
    });
  },
  /** Responds 2xx at once and continues to read the body. */
  eager(socket, exchange, [status]) {
    socket.write(`HTTP/1.1 ${status} Whatever\r\nContent-Length: 2\r\n\r\nok`);
    exchange.afterBody(() => (socket.exchange = new Exchange(socket)));
  },
  /** Reads slowly but steadily: a piece, then a pause. */
  slow(socket, exchange, [status]) {
    socket.on('data', () => {
      socket.pause();
      setTimeout(() => socket.resume(), 5);
    });
    exchange.afterBody(() => socket.write(`HTTP/1.1 ${status} Whatever\r\nContent-Length: 2\r\n\r\nok`));
  },
};

/** What a server without TLS sends. */
function greet(socket) {
  socket.once('data', () => {
    if (options.greeting === 'http') socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    if (options.greeting === 'cut') socket.destroy();
  });
}

function serve(socket) {
  if (!options.tls) connections += 1;
  open.add(socket);
  // Gone for the client, whatever is still being written here.
  socket.on('end', () => open.delete(socket));
  socket.on('close', () => open.delete(socket));
  socket.on('error', () => undefined);
  socket.setNoDelay(true);
  if (options.greeting) {
    greet(socket);
    return;
  }
  socket.exchange = new Exchange(socket);
  socket.on('data', (chunk) => socket.exchange?.take(chunk));
}

const server = options.tls
  ? tls.createServer({ ...options.tls, allowHalfOpen: true }, serve)
  : net.createServer({ allowHalfOpen: true }, serve);
server.on('tlsClientError', () => undefined);
if (options.tls) server.on('connection', () => (connections += 1));
server.listen(
  { port: options.port ?? 0, host: options.host ?? '127.0.0.1', ipv6Only: options.ipv6Only ?? false },
  () => {
    process.send({ port: server.address().port });
  },
);
process.on('message', ({ id }) => process.send({ id, seen, connections, open: open.size }));
process.on('disconnect', () => process.exit(0));
