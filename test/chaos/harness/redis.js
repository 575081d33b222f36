// @ts-check
import { connect } from 'node:net';

/**
 * Forgets everything that Redis has.
 * @param {string} url
 * @returns {Promise<void>}
 */
export function flushRedis(url) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write('FLUSHALL\r\n'));
    socket.setEncoding('utf8').once('data', (answer) => {
      socket.destroy();
      if (String(answer).startsWith('+OK')) resolve();
      else reject(new Error(`FLUSHALL: ${String(answer)}`));
    });
    socket.once('error', reject);
  });
}
