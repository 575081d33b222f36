/**
 * Tells our endpoints from the host's by a request's URL, before any router has looked at it. Routers read a path more
 * freely than it is written: Express in any case, Fastify with its escapes decoded. So does this: what would come to our
 * controllers by another spelling must neither miss our headers nor our limits.
 * @param mount where our controllers are, such as `api/v1`; empty for the host's root
 */
export function ourPaths(mount: string): (url: string) => boolean {
  // A host may put a prefix or a version before it; what follows are the paths of our controllers.
  const at = mount === '' ? '' : `/${mount.replace(/[^\w/-]/g, '\\$&')}`;
  const ours = new RegExp(`${at}/(agents/[^/]+/data-sources|deliveries)(/|$)`, 'i');
  // No client sends a fragment, but where one does it ends the path for the routers too.
  return (url) => ours.test(decoded(url.split(/[?#]/, 1)[0] ?? ''));
}

/**
 * Byte by byte, since a malformed escape is no reason to throw, and our paths are ASCII. But for slashes: an escaped one is
 * part of an id.
 */
function decoded(path: string): string {
  return path.replace(/%(?!2f)([\da-f]{2})/gi, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));
}
