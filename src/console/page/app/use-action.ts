import { useCallback, useState } from 'preact/hooks';
import { asProblem, type Problem } from '../api/problem.js';

export interface Action<A extends readonly unknown[]> {
  readonly isRunning: boolean;
  /** Error of the last run. */
  readonly problem: Problem | null;
  /** Ignored while a run is in progress. */
  readonly run: (...args: A) => Promise<void>;
  readonly clear: () => void;
}

/** A user action: one run at a time; its error is kept for the screen. */
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
