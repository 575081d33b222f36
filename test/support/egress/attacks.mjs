// Responses of hostile or broken receivers. None of them ends by itself: the client must end it.
import { gzipSync } from 'node:zlib';

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const PADDING_BYTES = 65_536;
const METADATA = 'http://169.254.169.254/latest/meta-data/';

/** Repeats until the socket is closed; respects back-pressure, so that memory stays bounded. */
function pump(socket, chunk, everyMs = 0) {
  const step = () => {
    if (socket.destroyed || !socket.writable) return;
    if (everyMs > 0) {
      socket.write(chunk);
      setTimeout(step, everyMs);
    } else if (socket.write(chunk)) setImmediate(step);
    else socket.once('drain', step);
  };
  step();
}

/** Starts a response and pads it without end where HTTP sets no limit. */
const padded = (start, unit) => {
  const padding = Buffer.from(unit.repeat(PADDING_BYTES / unit.length));
  return after((socket) => {
    socket.write(start);
    pump(socket, padding);
  });
};

/** Responds to the whole request; further bytes on the connection are a new request. */
const after = (respond) => (socket, exchange, rest) =>
  exchange.afterBody(() => {
    respond(socket, rest);
    socket.exchange = exchange.next();
  });
/** 50 MB in 50 KB, put together from equal members, which takes no time. */
const bomb = () => Buffer.concat(Array(50).fill(gzipSync(Buffer.alloc(1_000_000), { level: 9 })));

export const attacks = {
  'never-answers': after(() => undefined),
  'closes-without-a-word': after((socket) => socket.end()),
  'resets-without-a-word': after((socket) => socket.resetAndDestroy()),
  'one-header-byte-a-tick': after((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nX-Slow: ');
    pump(socket, 'a', 20);
  }),
  'endless-103': after((socket) => pump(socket, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', 20)),
  'endless-100': after((socket) => pump(socket, 'HTTP/1.1 100 Continue\r\n\r\n', 20)),
  'flood-of-103': after((socket) => pump(socket, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')),
  'flood-of-100': after((socket) => pump(socket, 'HTTP/1.1 100 Continue\r\n\r\n')),
  'flood-in-the-reason': padded('HTTP/1.1 200 ', 'A'),
  'flood-of-blank-lines': padded('\r\n', '\r\n'),
  'flood-of-blanks-in-a-header': padded('HTTP/1.1 200 OK\r\nX: ', ' '),
  'flood-in-a-chunk-extension': padded(`${CHUNKED}5;`, 'a'),
  'flood-of-zeros-in-a-chunk-size': padded(CHUNKED, '0'),
  'a-103-then-a-100-first': after((socket) => {
    socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n');
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  }),
  'one-100-first': after((socket) => {
    socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  }),
  'switches-protocols': after((socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
  }),
  'endless-body': after((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    pump(socket, '1\r\nx\r\n', 20);
  }),
  'one-gigabyte-body': after((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${1 << 30}\r\n\r\n`);
    pump(socket, Buffer.alloc(65_536, 'x'));
  }),
  'twenty-thousand-headers': after((socket) => {
    const headers = Array.from({ length: 20_000 }, (_, i) => `X-${i}: ${i}\r\n`).join('');
    socket.write(`HTTP/1.1 200 OK\r\n${headers}\r\n`);
  }),
  'one-megabyte-header': after((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nX-Big: ${'a'.repeat(1 << 20)}\r\n\r\n`);
  }),
  'gzip-bomb': after((socket) => {
    const body = bomb();
    socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body);
  }),
  'content-length-too-long': after((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort');
    socket.end();
  }),
  'content-length-too-short': after((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, and more that nobody announced');
  }),
  'content-length-twice': after((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nok');
  }),
  'bare-line-feeds': after((socket) => socket.write('HTTP/1.1 200 OK\nContent-Length: 2\nX-Old: yes\n\nok')),
  'one-length-twice': after((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok');
  }),
  'sixty-kilobytes-of-headers': after((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nX-Big: ${'a'.repeat(60_000)}\r\nContent-Length: 2\r\n\r\nok`);
  }),
  'length-and-chunked': after((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
  }),
  'nul-and-invalid-utf8': after((socket) => {
    const body = Buffer.from([0x61, 0x00, 0x62, 0xff, 0xfe, 0x63]);
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body);
  }),
  redirect: after((socket, [status]) => {
    socket.write(`HTTP/1.1 ${status} Elsewhere\r\nLocation: ${METADATA}\r\nContent-Length: 0\r\n\r\n`);
  }),
  'resets-after-the-first-byte': after((socket) => {
    socket.write('H', () => setTimeout(() => socket.resetAndDestroy(), 20));
  }),
  'resets-in-the-body': after((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf', () =>
      setTimeout(() => socket.resetAndDestroy(), 20),
    );
  }),
  'speaks-no-http': after((socket) => socket.write('220 mail.example ESMTP\r\n')),
  'speaks-http-2': after((socket) => socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')),
  'status-999': after((socket) => socket.write('HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n')),
  'ninety-nine-kinds-of-space': after((socket) => socket.write('HTTP/1.1 200 OK\r\nX Y : z\r\n\r\n')),
};
