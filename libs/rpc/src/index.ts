export { type Caller, CallFailed, callerOf } from './caller.ts';
export { Connections } from './connections.ts';
export { type Connection, connect } from './endpoint.ts';
export { type Handlers, serveCalls } from './serve.ts';
