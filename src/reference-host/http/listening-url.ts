import type { AddressInfo, Server } from 'node:net';

/** Where a server that listens can be reached from this machine. */
export function listeningUrl(server: Pick<Server, 'address'>): string {
  const { address, family, port } = server.address() as AddressInfo;
  // Of all addresses, the one that everybody has.
  const host = address === '::' || address === '0.0.0.0' ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address;
  return `http://${host}:${port}`;
}
