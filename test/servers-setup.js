/** Before all tests of a run: decides where their servers come from. */
export default async function setUp() {
  const { openRunServers } = await import('../tools/test-kit/src/servers/run-servers.ts');
  globalThis.parleyTestServers = await openRunServers((line) => {
    console.log(line);
  });
}
