import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { asProblem, type Problem } from '../api/problem.js';

export interface Resource<T> {
  /** Null until loaded once. Kept when a later load fails. */
  readonly data: T | null;
  /** Error of the last load. */
  readonly problem: Problem | null;
  readonly reload: () => Promise<void>;
}

export type PollInterval<T> = number | null | ((data: T | null) => number);

/** Delay after a failed load. */
const RETRY_MS = 3_000;

/**
 * Loads a screen's data and reloads it periodically while the tab is visible.
 * @param key identity of the data: another key loads anew
 * @param pollMs null loads once; a function decides from the loaded data
 */
export function useResource<T>(key: string, load: () => Promise<T>, pollMs: PollInterval<T> = null): Resource<T> {
  const [state, setState] = useState<{ key: string; data: T | null; problem: Problem | null }>(initial(key));
  const latest = useRef({ load, key, pollMs, data: state.data });
  latest.current = { load, key, pollMs, data: state.data };

  const look = useCallback(async (): Promise<boolean> => {
    const asked = latest.current.key;
    // A response for a previous key is dropped.
    const isCurrent = (): boolean => latest.current.key === asked;
    try {
      const data = await latest.current.load();
      if (isCurrent()) setState({ key: asked, data, problem: null });
      return true;
    } catch (error) {
      const problem = asProblem(error);
      if (isCurrent()) setState((before) => ({ ...(before.key === asked ? before : initial<T>(asked)), problem }));
      return problem.status !== null;
    }
  }, []);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const round = async (): Promise<void> => {
      clearTimeout(timer);
      const wasHeard = document.hidden ? true : await look();
      const next = wasHeard ? interval(latest.current.pollMs, latest.current.data) : RETRY_MS;
      if (!ended && next !== null) timer = setTimeout(() => void round(), next);
    };
    const wake = (): void => void (document.hidden || round());
    document.addEventListener('visibilitychange', wake);
    window.addEventListener('online', wake);
    void round();
    return () => {
      ended = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', wake);
      window.removeEventListener('online', wake);
    };
  }, [key, look]);

  const shown = state.key === key ? state : initial<T>(key);
  const reload = useCallback(async () => void (await look()), [look]);
  return { data: shown.data, problem: shown.problem, reload };
}

function interval<T>(pollMs: PollInterval<T>, data: T | null): number | null {
  return typeof pollMs === 'function' ? pollMs(data) : pollMs;
}

function initial<T>(key: string): { key: string; data: T | null; problem: Problem | null } {
  return { key, data: null, problem: null };
}
