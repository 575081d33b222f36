import { counted } from './format.js';

/** The module's defaults (`retryWaitsMs`): every wait after the last is as long as that. */
const WAITS_S = [5, 30, 300];

/** How long a push is tried, and what is to be done after that. */
export function whenRetriesEnd(retries: number): string {
  const waits = Array.from({ length: retries }, (_, i) => WAITS_S[Math.min(i, WAITS_S.length - 1)] ?? 0);
  const seconds = waits.reduce((sum, wait) => sum + wait, 0);
  const minutes = Math.floor(seconds / 60);
  const time = `${minutes > 0 ? `${minutes} min ` : ''}${seconds % 60} s`;
  const tried =
    retries === 0
      ? 'A push that fails is not tried again.'
      : `With ${counted(retries, 'retry', 'retries')}, a push is tried again for ${time} after its first failure.`;
  return `${tried} What has failed by then is sent again with Recover.`;
}
