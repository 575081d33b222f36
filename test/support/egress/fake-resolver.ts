import type { ResolvedAddress, Resolver } from '../../../src/data-sinks/egress/index.js';

export interface FakeResolver {
  readonly resolve: Resolver;
  /** Requested names, in order. */
  readonly asked: string[];
}

/** Returns the answers in turn, the last one repeatedly; a single string is an error code. */
export function fakeResolver(...answers: readonly (readonly string[] | string)[]): FakeResolver {
  const asked: string[] = [];
  return {
    asked,
    resolve(hostname) {
      const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
      asked.push(hostname);
      if (typeof answer === 'string') return Promise.reject(Object.assign(new Error(answer), { code: answer }));
      return Promise.resolve(answer.map(toAddress));
    },
  };
}

function toAddress(address: string): ResolvedAddress {
  return { address, family: address.includes(':') ? 6 : 4 };
}
