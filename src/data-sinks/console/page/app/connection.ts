import { createStore } from './store.js';

/** Since when nothing has been heard of the platform, in milliseconds since 1970; null while it answers. */
export const silentSince = createStore<number | null>(null);
