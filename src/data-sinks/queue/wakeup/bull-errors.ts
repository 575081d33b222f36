import type { Queue } from 'bull';
import { within } from '../../tools/within.js';

type Client = Queue['client'];
type Command = Parameters<Client['sendCommand']>[0];

/** Bull's undeclared connection fields. */
interface Internals {
  /** Connections that Bull created, not the host's `createClient`. */
  readonly clients: readonly Client[];
  /** Waits for jobs; created on first access. */
  readonly bclient: Client;
}

/**
 * Prevents a Redis that refuses commands from ending the process. Bull and ioredis send some commands whose rejections
 * nobody handles, and an unhandled rejection ends the process:
 * - `CLIENT SETNAME`, for a list of workers that nobody uses here, is not sent;
 * - `SUBSCRIBE` for delayed jobs is not sent; the queue polls for them every `guardInterval`;
 * - `AUTH`, `SELECT` and commands that ioredis repeats after a reconnect: their rejections are reported by the
 *   connection's `error` event, and reach code that awaits the command.
 * @param onError called for every error of the queue and its connections
 */
export function handleQueueErrors(queue: Queue, onError: (error: Error) => void): void {
  const nothing = async (): Promise<void> => undefined;
  // Otherwise @nestjs/bull would close the queue at shutdown, waiting for jobs and for a connection that may never
  // come.
  Object.assign(queue, { setWorkerName: nothing, _registerEvent: nothing, onApplicationShutdown: undefined });
  queue.on('error', onError);
  listen(queue.client, onError);
}

/** Does the same for the connection that waits for jobs. @returns that connection */
export function handleWaitingErrors(queue: Queue, onError: (error: Error) => void): Client {
  const { bclient } = internals(queue);
  listen(bclient, onError);
  return bclient;
}

/** Closes the connections that Bull created, within the given time. Never throws. */
export async function closeWithin(queue: Queue, milliseconds: number): Promise<void> {
  await within(queue.close(true), milliseconds, 'Redis').catch(() => undefined);
  for (const client of internals(queue).clients) client.disconnect();
}

/** Bull removes its listener when the queue is closed; ioredis would then print each error. */
function listen(client: Client, onError: (error: Error) => void): void {
  client.on('error', onError);
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command: Command, ...others) => {
    command.promise.catch(() => undefined);
    return send(command, ...others);
  };
}

function internals(queue: Queue): Internals {
  return queue as unknown as Internals;
}
