import { useCallback, useState } from 'preact/hooks';
import { asProblem, type Problem } from '../api/problem.js';

export interface Action<A extends readonly unknown[]> {
  readonly isRunning: boolean;
  /** Why it was refused the last time. */
  readonly problem: Problem | null;
  /** Does nothing while it is running. */
  readonly run: (...args: A) => Promise<void>;
  readonly clear: () => void;
}

/** Something a person does: once at a time, and what went wrong is kept for the screen. */
export function useAction<A extends readonly unknown[]>(act: (...args: A) => Promise<void>): Action<A> {
  const [isRunning, setRunning] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = async (...args: A): Promise<void> => {
    if (isRunning) return;
    setRunning(true);
    setProblem(null);
    try {
      await act(...args);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setRunning(false);
    }
  };
  return { isRunning, problem, run, clear: useCallback(() => setProblem(null), []) };
}
