/**
 * On every answer of ours, errors included: it is data for a program, never a page, and kept by nobody on the way. Not on
 * the answers of the host's own endpoints.
 */
export const ANSWER_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};
