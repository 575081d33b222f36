import { expect, it } from '@jest/globals';
import { BoundedQuestion } from '../../../../src/data-sinks/database/bounded-question.js';

/** A database that answers when it is told to. */
function asked(nowMs: () => number = () => 0) {
  const answers: ((value: number) => void)[] = [];
  const ask = (): Promise<number> => new Promise((resolve) => answers.push(resolve));
  return { answers, question: new BoundedQuestion(ask, 20, nowMs) };
}

it('waits for an answer no longer than its limit, and asks once for all who wait', async () => {
  const { answers, question } = asked();
  await expect(question.answer()).rejects.toMatchObject({ code: 'no_answer' });
  const late = question.answer();
  expect(answers).toHaveLength(1);
  answers[0]?.(7);
  expect(await late).toBe(7);
});

it('asks anew when the last was answered, and when it was left without an answer for a minute', async () => {
  let now = 0;
  const { answers, question } = asked(() => now);
  const first = question.answer();
  answers[0]?.(1);
  expect(await first).toBe(1);
  await expect(question.answer()).rejects.toMatchObject({ code: 'no_answer' });
  now = 60_000;
  const again = question.answer();
  expect(answers).toHaveLength(3);
  answers[2]?.(3);
  expect(await again).toBe(3);
});
