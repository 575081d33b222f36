import { describe, expect, it } from '@jest/globals';
import type { HostResponse } from '../../../../src/data-sinks/routes/answer.js';
import type { OurRequest } from '../../../../src/data-sinks/routes/our-request.js';
import { requestIdOf } from '../../../../src/data-sinks/routes/request-id.js';
import { stub } from '../../../support/stub.js';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

const asked = (id?: string | string[]): OurRequest => ({
  ...{ params: {}, headers: id === undefined ? {} : { 'x-request-id': id } },
});

/** Of a host whose middleware may have given the request an id. */
const express = (given?: string): HostResponse => stub<HostResponse>({ getHeader: () => given });
const fastify = (given?: string): HostResponse =>
  stub<HostResponse>({
    raw: { getHeader: () => undefined },
    getHeaders: () => ({ 'x-request-id': given }),
  } as never);

describe.each([
  ['Express', express],
  ['Fastify', fastify],
])('the id of a request to %s', (_framework, response) => {
  it('is the caller’s', () => {
    for (const id of ['a', 'req-1', '7b0f/3:4+5=6@host.name_x', 'x'.repeat(128)]) {
      expect(requestIdOf(asked(id), response())).toBe(id);
    }
  });

  it('is a new one where the caller has none, or none that is safe to write down', () => {
    const insane = ['', ' ', 'two words', 'line\nbreak', 'x'.repeat(129), '<script>', 'ü', '"', ['a', 'b'], '{"a":1}'];
    const ids = [undefined, ...insane].map((id) => requestIdOf(asked(id), response()));
    expect(ids.filter((id) => !UUID.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is the one that the host has given it', () => {
    expect(requestIdOf(asked('of-the-caller'), response('of-the-host'))).toBe('of-the-host');
    expect(requestIdOf(asked('of-the-caller'), response('not sane'))).toBe('of-the-caller');
  });

  it('is the same whenever it is asked for', () => {
    const request = asked();
    expect(requestIdOf(request, response())).toBe(requestIdOf(request, response()));
  });
});
