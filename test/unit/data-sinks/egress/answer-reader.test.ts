import { Duplex } from 'node:stream';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Socket } from 'node:net';

import { AnswerReader, MAX_INTERIM_ANSWERS, maxAnswerBytes } from '../../../../src/data-sinks/egress/answer-reader.js';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHTTP/1.1 100 ';
const CONTINUE = 'HTTP/1.1 100 Continue\r\nX-Some: header\r\n\r\n';

const MAX_BYTES = maxAnswerBytes({ answerBytes: 16_384, answerHeaderBytes: 16_384 });

interface Reading {
  readonly text: string;
  /** What was said of an answer that is none any more. */
  readonly excesses: readonly string[];
  readonly destroyed: boolean;
}

/** What undici would read when the peer's bytes arrive in these parts. */
function read(parts: readonly string[], expecting = true): Reading {
  const duplex = new Duplex({ read() {}, write() {} });
  const socket = duplex as Socket;
  const reader = new AnswerReader(socket, MAX_BYTES);
  const excesses: string[] = [];
  if (expecting) reader.expectAnswer((what) => excesses.push(what));
  let text = '';
  for (const part of parts) {
    if (duplex.destroyed) break;
    duplex.push(Buffer.from(part, 'latin1'));
    for (let chunk: unknown; (chunk = socket.read()) !== null;) text += (chunk as Buffer).toString();
  }
  return { text, excesses, destroyed: duplex.destroyed };
}

const readAll = (parts: readonly string[], expecting = true): string => read(parts, expecting).text;

function cut(text: string, places: readonly number[]): string[] {
  const ends = [...new Set(places.map((place) => place % text.length))].sort((a, b) => a - b);
  return [0, ...ends].map((from, i) => text.slice(from, ends[i] ?? text.length)).filter((part) => part !== '');
}

describe('an interim answer', () => {
  it('is dropped however the bytes are cut, and nothing else is', () => {
    const kinds = fc.constantFrom(CONTINUE, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', 'HTTP/1.1 102 P\r\n\r\n');
    fc.assert(
      fc.property(fc.array(kinds, { maxLength: 4 }), fc.array(fc.nat(500), { maxLength: 8 }), (interim, places) => {
        expect(readAll(cut(interim.join('') + ANSWER, places))).toBe(ANSWER);
      }),
    );
  });

  it('is not looked for when no answer is expected', () => {
    expect(readAll([CONTINUE], false)).toBe(CONTINUE);
  });

  it('is handed on when its head has no end, to be refused there', () => {
    const endless = `HTTP/1.1 100 Continue\r\nX: ${'a'.repeat(20_000)}`;
    expect(readAll([endless])).toBe(endless);
  });

  it('may come a hundred times, and no more', () => {
    expect(readAll([CONTINUE.repeat(MAX_INTERIM_ANSWERS) + ANSWER])).toBe(ANSWER);
    expect(read([CONTINUE.repeat(MAX_INTERIM_ANSWERS + 1) + ANSWER])).toEqual({
      text: '',
      excesses: ['over 100 interim answers (1xx)'],
      destroyed: true,
    });
  });

  it.each(['HTTP/1.1 101 Switching\r\n\r\n', 'HTTP/1.0 100 Continue\r\n\r\n', 'HTTP/1.1 10', 'garbage'])(
    '%j is not one',
    (text) => {
      expect([text, '']).toContain(readAll([text]));
    },
  );
});

describe('all bytes of an answer', () => {
  const part = 'A'.repeat(65_536);
  const parts = [ANSWER, ...Array.from({ length: Math.ceil(MAX_BYTES / part.length) }, () => part)];

  it('are counted, whatever they are', () => {
    const { text, excesses, destroyed } = read(parts);
    expect({ excesses, destroyed }).toEqual({ excesses: [`an answer of over ${MAX_BYTES} bytes`], destroyed: true });
    expect(text.length).toBeLessThanOrEqual(MAX_BYTES);
    expect(text.length).toBeGreaterThan(MAX_BYTES - part.length);
  });

  it('are counted when nobody expects any: the connection is closed', () => {
    expect(read(parts, false)).toMatchObject({ excesses: [], destroyed: true });
  });
});
