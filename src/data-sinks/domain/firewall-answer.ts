/** What a firewall or a web server answers by itself: its own page, and not an application's words. */
const OWN_PAGE =
  /<title>\s*(403 Forbidden|406 Not Acceptable)\s*<\/title>|mod_?security|web application firewall|request (was )?blocked/i;

/** Whether an answer looks like that of a firewall in front of the endpoint. */
export function isFirewall(httpStatus: number | null, excerpt: string | null): boolean {
  return (httpStatus === 403 || httpStatus === 406) && OWN_PAGE.test(excerpt ?? '');
}
