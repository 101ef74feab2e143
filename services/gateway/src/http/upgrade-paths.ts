/** Where WebSocket upgrades are accepted. */
export const upgradePaths = ['/', '/ws', '/chat'];
