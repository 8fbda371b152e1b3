export { type Caller, CallFailed, callerOf } from './caller.ts';
export { connect } from './endpoint.ts';
export { type Handlers, serveCalls } from './serve.ts';
