/** A proxy that refuses every request, and reports every connection to its parent. */
import { createServer } from 'node:net';

const server = createServer((socket) => {
  process.send({ connection: true });
  socket.on('error', () => undefined).end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit());
