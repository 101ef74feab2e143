/** What all admin commands have in common, below their help. */
export const epilogue =
  'It speaks to the Parley that `npm start` runs on this machine, or to the one with its NATS server at NATS_URL.\n' +
  'Exit codes: 0 done, 1 refused or failed, 2 not understood, 3 nobody answers.';
