/** Ends a run with plain lines, for people and programs that look no further: what this machine could not run, and the sums. */
export default class SummaryReporter {
  onRunComplete(_contexts, { testResults, numPassedTests, numFailedTests, numPendingTests }) {
    const pending = testResults
      .flatMap((file) => file.testResults)
      .filter(({ status }) => status === 'pending');
    // The others are left out by whoever asked for some tests only.
    const explained = pending.map(({ title }) => title).filter((title) => title.includes('skipped, because'));
    console.log(['', ...explained].join('\n'));
    console.log(`Tests: ${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
  }
}
