import { describe, expect, it } from '@jest/globals';
import { PROBLEMS, type ProblemCode, ProblemError } from '../../../../src/data-sinks/domain/errors.js';

const problems = Object.entries(PROBLEMS) as [ProblemCode, { readonly status: number; readonly title: string }][];

describe('a problem', () => {
  it.each(problems)('%s has a kebab code, an error status and a title of its own', (code, { status, title }) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(problems.filter(([, other]) => other.title === title)).toHaveLength(1);
    expect(title).not.toMatch(/\.$/);
  });

  it('carries its code, its status and what to do', () => {
    const error = new ProblemError('sink-limit-reached', 'Delete one first.', { members: { limit: 20 } });
    expect(error).toMatchObject({
      name: 'ProblemError',
      code: 'sink-limit-reached',
      status: 409,
      detail: 'Delete one first.',
    });
    expect(error.message).toBe('sink-limit-reached: Delete one first.');
    expect(error.extras).toEqual({ members: { limit: 20 } });
  });
});
