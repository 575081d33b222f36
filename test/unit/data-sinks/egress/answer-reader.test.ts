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
  readonly isIrregular: boolean;
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
  return { text, excesses, destroyed: duplex.destroyed, isIrregular: reader.isIrregular };
}

const readAll = (parts: readonly string[], expecting = true): string => read(parts, expecting).text;

function cut(text: string, places: readonly number[]): string[] {
  const ends = [...new Set(places.map((place) => place % text.length))].sort((a, b) => a - b);
  return [0, ...ends].map((from, i) => text.slice(from, ends[i] ?? text.length)).filter((part) => part !== '');
}

describe('the head of an answer', () => {
  const regular = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\n';

  it.each([
    ['whose lines end in a bare line feed', 'HTTP/1.1 200 OK\nContent-Length: 2\nX: y\n\n', regular],
    ['some of whose lines do', 'HTTP/1.1 200 OK\r\nContent-Length: 2\nX: y\r\n\r\n', regular],
    ['that says one length twice', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length:2\r\nX: y\r\n\r\n', regular],
    ['that says one length twice in a line', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nX: y\r\n\r\n', regular],
  ])('%s is read as HTTP has it, however it is cut, and its connection is not used again', (_how, sent, head) => {
    fc.assert(
      fc.property(fc.array(fc.nat(500), { maxLength: 8 }), (places) => {
        const { text, isIrregular } = read(cut(`${CONTINUE}${sent}ok`, places));
        expect([text, isIrregular]).toEqual([`${head}ok`, true]);
      }),
    );
  });

  it.each([
    ['lengths that differ', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
    ['lengths of one line that differ', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['nothing of the kind', `${regular}ok`],
  ])('with %s is handed on as it is', (_what, sent) => {
    expect(read([sent])).toMatchObject({ text: sent, isIrregular: false });
  });

  it('that is no HTTP, or has no end within 64 KB, is handed on as it comes', () => {
    expect(readAll(['220 mail.example ESMTP\r\n'])).toBe('220 mail.example ESMTP\r\n');
    const endless = `HTTP/1.1 200 ${'A'.repeat(70_000)}`;
    expect(readAll([endless])).toBe(endless);
  });
});

describe('an interim response', () => {
  it('is dropped for any chunking of the bytes, and nothing else is', () => {
    const kinds = fc.constantFrom(CONTINUE, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', 'HTTP/1.1 102 P\r\n\r\n');
    fc.assert(
      fc.property(fc.array(kinds, { maxLength: 4 }), fc.array(fc.nat(500), { maxLength: 8 }), (interim, places) => {
        expect(readAll(cut(interim.join('') + ANSWER, places))).toBe(ANSWER);
      }),
    );
  });

  it('is not looked for when no response is expected', () => {
    expect(readAll([CONTINUE], false)).toBe(CONTINUE);
  });

  it('with an endless head is passed on, and refused by undici', () => {
    const endless = `HTTP/1.1 100 Continue\r\nX: ${'a'.repeat(20_000)}`;
    expect(readAll([endless])).toBe(endless);
  });

  it('may occur a hundred times, and no more', () => {
    expect(readAll([CONTINUE.repeat(MAX_INTERIM_ANSWERS) + ANSWER])).toBe(ANSWER);
    expect(read([CONTINUE.repeat(MAX_INTERIM_ANSWERS + 1) + ANSWER])).toEqual({
      text: '',
      excesses: ['over 100 interim answers (1xx)'],
      destroyed: true,
      isIrregular: false,
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

  it('are counted, including framing', () => {
    const { text, excesses, destroyed } = read(parts);
    expect({ excesses, destroyed }).toEqual({ excesses: [`an answer of over ${MAX_BYTES} bytes`], destroyed: true });
    expect(text.length).toBeLessThanOrEqual(MAX_BYTES);
    expect(text.length).toBeGreaterThan(MAX_BYTES - part.length);
  });

  it('are counted between requests, too: the connection is closed', () => {
    expect(read(parts, false)).toMatchObject({ excesses: [], destroyed: true });
  });
});
