/** Vitest prints its own summary; this adds the one line that a machine reads: `N passed, N failed`. */
export default class CountReporter {
  onTestRunEnd(modules, unhandledErrors) {
    let passed = 0;
    let failed = unhandledErrors.length;
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        if (state === 'failed') failed++;
      }
      failed += failedOutsideOfTests(module);
    }
    // after whatever else is still to be printed
    process.once('exit', () => console.log(`${passed} passed, ${failed} failed`));
  }
}

/** A file that does not load, or a hook that throws, has no failed test of its own. */
function failedOutsideOfTests(module) {
  const suites = [...module.children.allSuites()];
  return module.errors().length + suites.reduce((sum, suite) => sum + suite.errors().length, 0);
}
