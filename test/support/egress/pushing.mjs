/**
 * A process that pushes once to each URL with the built client and sends the results to its parent. Environment
 * variables that Node reads at startup cannot be tested in the test's own process.
 */
const { PushClient } = await import('../../../dist/src/data-sinks/egress/index.js');
const { createNetworkPolicy } = await import('../../../dist/src/data-sinks/domain/network-policy.js');

const { urls, ca } = JSON.parse(process.argv[2]);
const client = new PushClient({
  policy: createNetworkPolicy({ privateRanges: ['127.0.0.0/8'] }),
  userAgent: 'data-sinks-test/1',
  resolver: async () => [{ address: '127.0.0.1', family: 4 }],
  ca,
});
const bytes = new TextEncoder().encode('{}');
const results = [];
for (const url of urls) {
  const body = {
    bytes: bytes.length,
    whole: bytes,
    async *open() {
      yield bytes;
    },
  };
  results.push((await client.post({ url, headers: {}, customHeaders: [], body })).result);
}
await client.close();
process.send(results, () => process.disconnect());
