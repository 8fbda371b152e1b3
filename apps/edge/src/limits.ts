/** How long the edge waits for others. */
export interface Limits {
  /** for a connection to a container */
  connectTimeoutMs: number;
  /** for the head of a container's answer, from the last of the request on */
  headTimeoutMs: number;
  /** for an agent to say where a container is */
  agentTimeoutMs: number;
  /**
   * how long an agent's word holds: while Redis is away, routes name containers that are gone, and
   * whose addresses may be somebody else's by now
   */
  confirmEveryMs: number;
  /** at a stop, for requests under way */
  drainMs: number;
}

export const LIMITS: Limits = {
  connectTimeoutMs: 2_000,
  headTimeoutMs: 300_000,
  agentTimeoutMs: 5_000,
  confirmEveryMs: 5_000,
  drainMs: 5_000,
};
