/** What is read of vitest's JSON report. */
export interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly {
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

/** `123 passed, 0 failed`; a file that could not be loaded counts as one failure, as does a run without a report. */
export const summarize = (report: VitestReport | undefined): string =>
  report
    ? `${report.numPassedTests} passed, ${report.numFailedTests + unloadedFiles(report)} failed`
    : '0 passed, 1 failed'

const unloadedFiles = ({ testResults }: VitestReport): number =>
  testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  ).length
