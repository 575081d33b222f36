// A network between one worker and the database, that can be cut (connections die, new ones are refused) or frozen
// (nothing moves, nobody is told).
import { connect, createServer } from 'node:net';

const { host, port } = JSON.parse(process.argv[2]);
const pairs = new Set();
let state = 'open';

const server = createServer((client) => {
  client.on('error', () => undefined);
  if (state === 'cut') {
    client.destroy();
    return;
  }
  const upstream = connect(port, host);
  const pair = { client, upstream };
  pairs.add(pair);
  const end = () => {
    pairs.delete(pair);
    client.destroy();
    upstream.destroy();
  };
  for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
  client.pipe(upstream);
  upstream.pipe(client);
  if (state === 'frozen') freeze(pair);
});

function freeze({ client, upstream }) {
  client.unpipe(upstream).pause();
  upstream.unpipe(client).pause();
}

function thaw({ client, upstream }) {
  client.pipe(upstream);
  upstream.pipe(client);
}

process.on('message', (wanted) => {
  if (wanted === 'cut') for (const { client } of [...pairs]) client.resetAndDestroy();
  if (wanted === 'frozen') pairs.forEach(freeze);
  if (wanted === 'open' && state === 'frozen') pairs.forEach(thaw);
  state = wanted;
  process.send({ state });
});
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
