/** Testing apps: tasks in this process, time that stands still, faults on demand. For any test runner. */
export { createTestApp, type TestApp, type TestAppOptions } from './test-app.ts'
export type { Call, CallError, CallsOf, NamedCall } from './call-log.ts'
export type { Faults } from './faults.ts'
export type { RequestOptions, TestClient } from './in-process.ts'
export type { DrainOptions } from './rest.ts'
export type { TestClock, Time } from './test-clock.ts'
