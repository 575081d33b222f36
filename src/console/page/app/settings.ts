import type { PageSettings } from '../../console.options.js';

/** Settings that the server embedded in the page. */
export function readSettings(document: Document): PageSettings {
  const content = document.querySelector<HTMLMetaElement>('meta[name="data-sinks-console"]')?.content ?? '';
  // `npm run dev:console` serves the page without a server that fills this in.
  if (!content.startsWith('{')) return { api: 'api/v1', session: false, signInUrl: null, sampleJobs: false };
  return JSON.parse(content) as PageSettings;
}
