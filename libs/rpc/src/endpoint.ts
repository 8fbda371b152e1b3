import { Pool } from 'undici';

export type Connection = Pool;

/** @param endpoint where a process of ours answers: `unix:<path>`, the only kind as long as all processes are on one machine */
export function connect(endpoint: string): Connection {
  const path = /^unix:(\/.+)$/.exec(endpoint)?.[1];
  if (path === undefined) throw new Error(`${endpoint} is not unix: and a path`);
  return new Pool('http://localhost', {
    ...{ socketPath: path, connections: 32 },
    // a call may wait for something, as long as its caller does
    ...{ headersTimeout: 0, bodyTimeout: 0 },
  });
}
