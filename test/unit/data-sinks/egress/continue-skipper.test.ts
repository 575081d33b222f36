import { Duplex } from 'node:stream';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Socket } from 'node:net';

import { ContinueSkipper, MAX_INTERIM_ANSWERS } from '../../../../src/data-sinks/egress/continue-skipper.js';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHTTP/1.1 100 ';
const CONTINUE = 'HTTP/1.1 100 Continue\r\nX-Some: header\r\n\r\n';

/** What undici would read when the peer's bytes arrive in these parts. */
function readAll(parts: readonly string[], expecting = true): string {
  const duplex = new Duplex({ read() {}, write() {} });
  const socket = duplex as Socket;
  const skipper = new ContinueSkipper(socket);
  if (expecting) skipper.expectAnswer();
  let text = '';
  for (const part of parts) {
    duplex.push(Buffer.from(part, 'latin1'));
    for (let chunk: unknown; (chunk = socket.read()) !== null;) text += (chunk as Buffer).toString();
  }
  return text;
}

function cut(text: string, places: readonly number[]): string[] {
  const ends = [...new Set(places.map((place) => place % text.length))].sort((a, b) => a - b);
  return [0, ...ends].map((from, i) => text.slice(from, ends[i] ?? text.length)).filter((part) => part !== '');
}

describe('a `100 Continue` that nobody asked for', () => {
  it('is dropped however the bytes are cut, and nothing else is', () => {
    fc.assert(
      fc.property(fc.nat(3), fc.array(fc.nat(500), { maxLength: 8 }), (continues, places) => {
        expect(readAll(cut(CONTINUE.repeat(continues) + ANSWER, places))).toBe(ANSWER);
      }),
    );
  });

  it('is not looked for when no answer is expected', () => {
    expect(readAll([CONTINUE], false)).toBe(CONTINUE);
  });

  it('is handed on after a hundred, and when its head has no end', () => {
    expect(readAll([CONTINUE.repeat(MAX_INTERIM_ANSWERS + 1) + ANSWER])).toBe(CONTINUE + ANSWER);
    const endless = `HTTP/1.1 100 Continue\r\nX: ${'a'.repeat(20_000)}`;
    expect(readAll([endless])).toBe(endless);
  });

  it.each(['HTTP/1.1 101 Switching\r\n\r\n', 'HTTP/1.0 100 Continue\r\n\r\n', 'HTTP/1.1 10', 'garbage'])(
    '%j is not one',
    (text) => {
      expect([text, '']).toContain(readAll([text]));
    },
  );
});
