// Receivers that respond before they have read the body. Each takes the status to respond with.
const answer = (status, extra = '') => `HTTP/1.1 ${status} No\r\nContent-Length: 6\r\n${extra}\r\nrefuse`;

/** Closes with a reset: unread data is discarded, as when a process dies or a proxy gives up. */
const reset = (socket) => (socket._parent ?? socket).resetAndDestroy();

/** Paths whose first body was accepted. */
const taken = new Set();

export const earlyAnswers = {
  'keeps-open-unread'(socket, exchange, [status]) {
    socket.pause();
    socket.write(answer(status));
  },
  'closes-in-order'(socket, exchange, [status]) {
    socket.end(answer(status, 'Connection: close\r\n'));
  },
  'destroys-at-once'(socket, exchange, [status]) {
    socket.pause();
    socket.write(answer(status), () => socket.destroy());
  },
  'resets-after-a-moment'(socket, exchange, [status]) {
    socket.pause();
    socket.write(answer(status), () => setTimeout(reset, 5, socket));
  },
  'answers-after-10-ms-and-destroys'(socket, exchange, [status]) {
    socket.pause();
    setTimeout(() => socket.write(answer(status), () => socket.destroy()), 10);
  },
  'reads-64-kb-then-destroys'(socket, exchange, [status]) {
    exchange.after(65_536, () => {
      socket.pause();
      socket.write(answer(status, 'Connection: close\r\n'), () => socket.destroy());
    });
  },
  'reads-1-mb-then-destroys'(socket, exchange, [status]) {
    exchange.after(1_048_576, () => {
      socket.pause();
      socket.write(answer(status, 'Connection: close\r\n'), () => socket.destroy());
    });
  },
  /** Like an endpoint whose owner lowers its limit. */
  'takes-only-the-first'(socket, exchange, [status]) {
    if (taken.has(exchange.path)) {
      earlyAnswers['destroys-at-once'](socket, exchange, [status]);
      return;
    }
    taken.add(exchange.path);
    exchange.afterBody(() => {
      socket.write('HTTP/1.1 200 Yes\r\nContent-Length: 0\r\n\r\n');
      socket.exchange = exchange.next();
    });
  },
  /** No response at all. */
  'aborts-after-64-kb'(socket, exchange) {
    exchange.after(65_536, () => reset(socket));
  },
  'ends-after-64-kb'(socket, exchange) {
    exchange.after(65_536, () => {
      socket.end();
      // If it continued to read, the whole body might arrive before the client notices the close.
      socket.pause();
      setTimeout(() => socket.resume(), 1_000);
    });
  },
  'stops-reading'(socket) {
    socket.pause();
    // Long after the client's deadline: a paused socket would never notice that the client is gone.
    setTimeout(() => socket.resume(), 1_000);
  },
};
