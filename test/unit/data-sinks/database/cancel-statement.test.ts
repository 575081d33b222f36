import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import pg from 'pg';
import { type Backend, cancelStatement } from '../../../../src/data-sinks/database/cancel-statement.js';

let server: Server;
let sockets: Socket[];
let answer: (socket: Socket) => void;
const received: Buffer[] = [];

beforeEach(async () => {
  sockets = [];
  received.length = 0;
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      received.push(bytes);
      answer(socket);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

const backend = (known: Backend = { processID: 4_711, secretKey: -2 }): Backend => {
  const { port } = server.address() as AddressInfo;
  return Object.assign(new pg.Client({ host: '127.0.0.1', port }), known);
};

it('says which backend is meant, with its key, and is done when the server is', async () => {
  answer = (socket) => void socket.end();
  await cancelStatement(backend(), 60_000);
  expect(Buffer.concat(received).toString('hex')).toBe('00000010' + '04d2162e' + '00001267' + 'fffffffe');
});

it('gives up on a server that hears and says nothing', async () => {
  answer = () => undefined;
  await cancelStatement(backend(), 50);
  expect(received).toHaveLength(1);
});

it('bears a server that is not there', async () => {
  const gone = backend();
  server.close();
  await once(server, 'close');
  await cancelStatement(gone, 60_000);
  expect(received).toEqual([]);
});

it('asks nothing of a database that has no backends', async () => {
  await cancelStatement(backend({ processID: null, secretKey: null }));
  expect(sockets).toEqual([]);
});
