/** After all tests of a run: removes the servers that were started for them. */
export default async function tearDown() {
  await globalThis.parleyTestServers?.[Symbol.asyncDispose]();
}
