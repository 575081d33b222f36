import type { ResolvedAddress, Resolver } from '../../../src/data-sinks/egress/index.js';

export interface FakeResolver {
  readonly resolve: Resolver;
  /** Names asked for, in order. */
  readonly asked: string[];
}

/** Gives the answers in turn, and the last one for ever; a string as the only answer is the code of a failure. */
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
