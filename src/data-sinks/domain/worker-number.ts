/** The largest number of a worker. */
export const WORKER_NUMBERS = 999_999;

/**
 * The number that customers see instead of a worker's id, which contains the host name of its machine. It distinguishes
 * the attempts of two processes; two workers collide with a probability of one in a million.
 * @param workerId the option `workerId`, as stored in the attempt's row
 * @returns 1 to `WORKER_NUMBERS`, always the same for the same id
 */
export function workerNumber(workerId: string): number {
  // FNV-1a, 32 bits. The rows store the id itself, so a weak hash is enough.
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(workerId)) hash = Math.imul(hash ^ byte, 0x01000193);
  return ((hash >>> 0) % WORKER_NUMBERS) + 1;
}
