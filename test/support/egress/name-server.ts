import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const TYPE_A = 1;
const TYPE_AAAA = 28;

/** By name: addresses, a response code (2 SERVFAIL, 3 NXDOMAIN), or null for no answer at all; `null` among addresses: no
 * answer for the kind that they are not of. */
export type Zone = Readonly<Record<string, readonly (string | null)[] | number | null>>;

export interface NameServer {
  /** `address:port`. */
  readonly address: string;
  stop(): Promise<void>;
}

/** A DNS server on loopback with configured answers. */
export async function startNameServer(zone: Zone): Promise<NameServer> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port }) => {
    const { name, type, end } = question(query);
    const entry = zone[name] ?? (name in zone ? null : 3);
    if (entry === null) return;
    const texts = typeof entry === 'number' ? [] : entry.filter((text) => text !== null);
    const records = texts.flatMap((text) => record(text, type));
    if (typeof entry !== 'number' && entry.includes(null) && records.length === 0) return;
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8180 | (typeof entry === 'number' ? entry : 0), 2);
    head.writeUInt16BE(records.length, 6);
    head.writeUInt32BE(0, 8);
    socket.send(Buffer.concat([head, query.subarray(12, end), ...records]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    async stop() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

function question(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** Points back at the question's name, class IN, 0 s to live. Of IPv6 only full forms such as `2606:4700:0:0:0:0:0:1`. */
function record(text: string, type: number): Buffer[] {
  const isV6 = text.includes(':');
  if (type !== (isV6 ? TYPE_AAAA : TYPE_A)) return [];
  const data = isV6
    ? Buffer.from(
        text
          .split(':')
          .map((group) => group.padStart(4, '0'))
          .join(''),
        'hex',
      )
    : Buffer.from(text.split('.').map(Number));
  return [Buffer.concat([Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length]), data])];
}
