import { currentRequestId } from '@slipway/log';
import { type Dispatcher, Pool } from 'undici';

export type Connection = Dispatcher;

/**
 * A connection on which each call says which request it is for.
 * @param endpoint where a process of ours answers: `unix:<path>`, the only kind as long as all processes are on one machine
 * @param sideBySide how many calls at a time, the others wait; null: all, since streams may last
 */
export function connect(endpoint: string, sideBySide: number | null = 32): Connection {
  const path = /^unix:(\/.+)$/.exec(endpoint)?.[1];
  if (path === undefined) throw new Error(`${endpoint} is not unix: and a path`);
  const pool = new Pool('http://localhost', {
    ...{ socketPath: path, connections: sideBySide },
    // a call may wait for something, as long as its caller does
    ...{ headersTimeout: 0, bodyTimeout: 0 },
  });
  return pool.compose(saysForWhom);
}

function saysForWhom(dispatch: Dispatcher['dispatch']): Dispatcher['dispatch'] {
  return (options, handler) => {
    const requestId = currentRequestId();
    if (requestId === null) return dispatch(options, handler);
    const headers = { ...options.headers, 'x-request-id': requestId };
    return dispatch({ ...options, headers }, handler);
  };
}
