import { createStore } from './store.js';

/** Since when the platform has not responded, in milliseconds since 1970; null while it does. */
export const silentSince = createStore<number | null>(null);
